package org.ivit.core.engine.cuda.layer;

import org.ivit.core.architecture.Windows;
import org.ivit.core.graph.PositionBias;

/**
 * What the scores of a block's windows take on, on the device.
 *
 * @param scores address of requantized scores by code + 128
 * @param biases address of requantized biases, [heads][query][key]
 * @param masks address of a bit a masked key, [windows][query][words]; 0 where nothing is masked
 * @param words 32-bit words of a row of a mask
 */
public record WindowTables(long scores, long biases, long masks, int words) {
  /** What takes the place of the tables where there are no windows. */
  static final WindowTables NONE = new WindowTables(0, 0, 0, 0);

  public static WindowTables of(Constants constants, PositionBias position, Windows windows) {
    return new WindowTables(
        constants.ints(position.scores()),
        constants.ints(position.biases(windows)),
        windows.shifted() ? constants.ints(masks(windows)) : 0,
        words(windows));
  }

  /** Returns 32-bit words of a row of a mask. */
  public static int words(Windows windows) {
    return (windows.tokens() + 31) / 32;
  }

  /** Returns a bit a masked key, [windows][query][words]. */
  public static int[] masks(Windows windows) {
    int words = words(windows);
    int tokens = windows.tokens();
    int[] bits = new int[windows.count() * tokens * words];
    for (int window = 0; window < windows.count(); window++) {
      boolean[] mask = windows.mask(window);
      for (int i = 0; mask != null && i < mask.length; i++) {
        if (mask[i]) {
          int row = (window * tokens + i / tokens) * words;
          int key = i % tokens;
          bits[row + key / 32] |= 1 << (key % 32);
        }
      }
    }
    return bits;
  }
}
