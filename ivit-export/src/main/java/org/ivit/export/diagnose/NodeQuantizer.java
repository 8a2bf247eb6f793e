package org.ivit.export.diagnose;

import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.NodeTap;

/** Rounds values to a node's codes and back, as its requantization would; tells codes' values. */
final class NodeQuantizer implements NodeTap {
  private final Node node;
  private final int bits;
  private final float scale;
  private final Scheme scheme;
  private final OutlierChannels outliers;

  NodeQuantizer(Node node, float scale, Scheme scheme) {
    this.node = node;
    this.scheme = scheme;
    this.bits = node.bits();
    this.scale = scale;
    this.outliers = scheme.outliers(node);
  }

  int bits() {
    return bits;
  }

  float scale() {
    return scale;
  }

  OutlierChannels outliers() {
    return outliers;
  }

  /** The value of one of the integer model's codes. */
  float value(int code, int channel) {
    float step = outliers.scale(scale, channel);
    return (code + scheme.offset(node, step)) * step;
  }

  private float quantized(float value, int channel) {
    float step = outliers.scale(scale, channel);
    int lowest = scheme.offset(node, step) - (1 << (bits - 1));
    double code = Math.rint(Quantizer.reciprocal(step) * value);
    return (float) (Math.max(lowest, Math.min(lowest + (1 << bits) - 1, code)) * step);
  }

  @Override
  public void at(Node name, Reals values, int from, int length, int channels) {
    if (!name.equals(node)) {
      return;
    }
    float[] row = new float[channels == 1 ? length : channels];
    for (int at = 0; at < length; at += row.length) {
      values.get(from + at, row, 0, row.length);
      for (int c = 0; c < row.length; c++) {
        row[c] = quantized(row[c], channels == 1 ? 0 : c);
      }
      values.put(from + at, row, 0, row.length);
    }
  }
}
