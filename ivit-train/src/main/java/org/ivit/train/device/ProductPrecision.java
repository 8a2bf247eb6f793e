package org.ivit.train.device;

/** In what the products of the backward pass are multiplied; sums are float32. */
public enum ProductPrecision {
  /** Single precision, without tensor cores. */
  FLOAT32
}
