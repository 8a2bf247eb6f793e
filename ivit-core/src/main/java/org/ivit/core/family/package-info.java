/** The families of models: sizes from which a chain of parts follows, and their timm names. */
package org.ivit.core.family;
