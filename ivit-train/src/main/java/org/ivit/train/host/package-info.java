/**
 * Steps of training on the processor without Deeplearning4j: the judge of those on a GPU, also
 * where nothing but a Java runtime is at hand.
 */
package org.ivit.train.host;
