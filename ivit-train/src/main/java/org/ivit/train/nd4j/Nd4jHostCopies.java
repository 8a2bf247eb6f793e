package org.ivit.train.nd4j;

import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The copies of ND4J's CUDA backend. Its CPU backend has one of everything and does nothing. */
final class Nd4jHostCopies implements HostCopies {
  @Override
  public void makeCurrent(INDArray array) {
    Nd4j.getAffinityManager().ensureLocation(array, Location.HOST);
  }

  @Override
  public void markNewest(INDArray array) {
    Nd4j.getAffinityManager().tagLocation(array, Location.HOST);
  }
}
