/**
 * Proof and measurement of training on a GPU, for {@code scripts/gpu-check}: needs no test
 * framework and no Deeplearning4j. The tests run it on the emulation.
 */
package org.ivit.train.gpu;
