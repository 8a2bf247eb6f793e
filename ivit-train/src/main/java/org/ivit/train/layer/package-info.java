/**
 * Deeplearning4j layers over the operators: block layers for vision transformers and the paper's
 * four operators as layers of their own. A configuration names sizes and forms; everything computed
 * is in {@code org.ivit.train.operator}.
 */
package org.ivit.train.layer;
