/**
 * Builds a Deeplearning4j ComputationGraph from an architecture, in floating point or in integers,
 * gives access to its parameters, ranges and logits by their timm and node names, and takes its
 * steps.
 */
package org.ivit.train.network;
