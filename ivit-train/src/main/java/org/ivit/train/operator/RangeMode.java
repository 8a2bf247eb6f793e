package org.ivit.train.operator;

/** What training does with the ranges ({@code docs/arithmetic.md#observing-ranges}). */
public enum RangeMode {
  /** Ranges are constants. */
  FROZEN,
  /** A step quantizes with the ranges it began with and collects the ones it saw. */
  LAGGED
}
