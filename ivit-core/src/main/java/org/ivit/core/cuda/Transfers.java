package org.ivit.core.cuda;

/**
 * What is copied to the device before launches and back behind them.
 *
 * @param input address that receives codes
 * @param inputBytes number of codes, at least 1
 * @param output address of 32-bit integers
 * @param results their number, at least 1
 */
public record Transfers(long input, int inputBytes, long output, int results) {
  /** Returns the bytes of the results. */
  long outputBytes() {
    return 4L * results;
  }
}
