package org.ivit.core.engine.jni;

import org.ivit.core.architecture.Windows;
import org.ivit.core.graph.PositionBias;

/** What the scores of a block's windows take on, as the native side reads it. */
final class WindowConstants {
  private final PositionBias position;
  private final Windows windows;

  WindowConstants(PositionBias position, Windows windows) {
    this.position = position;
    this.windows = windows;
  }

  /** Requantized scores, index = code + 128; the node is proved to fit. */
  int[] scores() {
    int[] scores = new int[256];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (int) position.score().apply(i - 128);
    }
    return scores;
  }

  /** Requantized biases, [heads][query][key]. */
  int[] biases() {
    int heads = position.heads();
    int[] relative = windows.relativeIndex();
    int[] biases = new int[heads * relative.length];
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < relative.length; i++) {
        int code = position.table()[relative[i] * heads + head];
        biases[head * relative.length + i] = (int) position.position().apply(code);
      }
    }
    return biases;
  }

  /** A bit a masked key, [windows][query][words of 64 keys]. */
  long[] masks() {
    int tokens = windows.tokens();
    int words = (tokens + 63) / 64;
    long[] bits = new long[windows.count() * tokens * words];
    for (int window = 0; window < windows.count(); window++) {
      boolean[] mask = windows.mask(window);
      for (int i = 0; mask != null && i < mask.length; i++) {
        if (mask[i]) {
          int row = (window * tokens + i / tokens) * words;
          int key = i % tokens;
          bits[row + key / 64] |= 1L << (key % 64);
        }
      }
    }
    return bits;
  }
}
