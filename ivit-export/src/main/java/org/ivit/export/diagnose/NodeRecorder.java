package org.ivit.export.diagnose;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.ivit.core.architecture.Node;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.NodeTap;

/**
 * Keeps the values of every node of one picture, and the largest of each channel of all pictures.
 */
final class NodeRecorder implements NodeTap {
  private final Map<String, float[]> values = new HashMap<>();
  private final Map<String, float[]> largest = new HashMap<>();

  /** Forgets the values of the last picture. */
  void clear() {
    values.clear();
  }

  /** The node's values in order. */
  float[] values(String node) {
    return values.get(node);
  }

  /** Largest absolute value of each channel so far. */
  float[] largest(String node) {
    return largest.get(node);
  }

  @Override
  public synchronized void at(Node of, Reals part, int from, int length, int channels) {
    String node = of.name();
    float[] before = values.getOrDefault(node, new float[0]);
    float[] all = Arrays.copyOf(before, before.length + length);
    part.get(from, all, before.length, length);
    values.put(node, all);
    float[] most = largest.computeIfAbsent(node, n -> new float[channels]);
    for (int i = 0; i < length; i++) {
      int c = i % channels;
      most[c] = Math.max(most[c], Math.abs(all[before.length + i]));
    }
  }
}
