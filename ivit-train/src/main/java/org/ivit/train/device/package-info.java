/**
 * Steps of training on a GPU: a network of parts, with parameters, activations, gradients and
 * updater state on the device. It needs no Deeplearning4j.
 */
package org.ivit.train.device;
