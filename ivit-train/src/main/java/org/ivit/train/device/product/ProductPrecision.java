package org.ivit.train.device.product;

/**
 * In what the products of the backward pass are multiplied; sums are float32. GPUs before Ampere
 * multiply all of them as {@link #FLOAT32}.
 */
public enum ProductPrecision {
  /** Single precision, without tensor cores. */
  FLOAT32,
  /** Factors rounded to 11 bits; 8-bit codes are exact. */
  TF32,
  /** Factors rounded to 8 bits; 8-bit codes are exact. */
  BF16
}
