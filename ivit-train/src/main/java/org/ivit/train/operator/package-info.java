/**
 * What the operators of the float and of the integer network have in common: forward and backward
 * passes over a batch on plain memory, without a Deeplearning4j type.
 */
package org.ivit.train.operator;
