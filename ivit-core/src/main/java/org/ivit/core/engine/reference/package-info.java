/** The judge of all other engines: scalar Java straight from the arithmetic page. */
package org.ivit.core.engine.reference;
