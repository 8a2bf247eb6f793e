/** Weights of fewer than 8 bits: indices, and grids that turn them into 8-bit codes. */
package org.ivit.core.weight;
