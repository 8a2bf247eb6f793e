/** The judge of all other engines: scalar Java straight from {@code docs/arithmetic.md}. */
package org.ivit.core.engine.reference;
