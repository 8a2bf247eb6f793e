package org.ivit.train.nd4j;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What keeps the processor's copy of arrays and a GPU's alike. An array that is a view of a larger
 * one stands for all of it.
 */
interface HostCopies {
  /** Copies what the GPU has to the processor, if that is newer. */
  void makeCurrent(INDArray array);

  /** Lets the GPU's copy be replaced by the processor's before it is used. */
  void markNewest(INDArray array);
}
