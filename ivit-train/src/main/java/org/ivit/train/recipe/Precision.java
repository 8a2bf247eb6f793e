package org.ivit.train.recipe;

/** What the network computes with while it trains. */
public enum Precision {
  /** Floating point throughout. */
  FLOAT,
  /** The integers of the engines, with straight-through gradients. */
  QUANTIZED
}
