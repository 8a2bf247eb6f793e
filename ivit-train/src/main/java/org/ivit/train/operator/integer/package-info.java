/**
 * The operators of the quantized network: integers forward, straight-through gradients backward.
 */
package org.ivit.train.operator.integer;
