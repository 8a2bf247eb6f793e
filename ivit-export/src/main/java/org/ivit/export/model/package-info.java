/** A model that answers pictures with logits, of integers or of floats, and what is known of it. */
package org.ivit.export.model;
