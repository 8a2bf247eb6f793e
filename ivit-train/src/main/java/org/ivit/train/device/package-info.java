/**
 * Training on a GPU: the operators of {@link org.ivit.train.operator} as launches of kernels,
 * parameters, activations, gradients and updater state on the device. It needs no Deeplearning4j.
 */
package org.ivit.train.device;
