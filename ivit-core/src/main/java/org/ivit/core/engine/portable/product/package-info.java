/**
 * Matrix products of 8-bit codes in portable Java: exact sums in float32, on the Vector API where
 * the JVM was started with it.
 */
package org.ivit.core.engine.portable.product;
