/**
 * Deep Java Library's arrays on the Java heap, with the operations that its image translators and
 * batchifiers need.
 */
package org.ivit.djl.ndarray;
