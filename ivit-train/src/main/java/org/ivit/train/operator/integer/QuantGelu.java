package org.ivit.train.operator.integer;

import java.util.Arrays;
import java.util.Objects;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.AsymmetricGelu;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.ChannelRuns;
import org.ivit.train.operator.SeenRanges;

/**
 * An activation function of the quantized network on rows of a chunk, 8-bit codes to 8-bit codes.
 */
public final class QuantGelu {
  private final String name;
  private final int channels;
  private final Activation function;
  private GeluForm form;
  private Gelu node;
  private float inputScale;
  private OutlierChannels outliers;
  private double[] values;
  private double[] slopes;
  private double[] outlierSlopes;
  private boolean isNative;
  private boolean[] isOutlier;

  /**
   * @param name full node name, such as {@code blocks.0.mlp.act}
   * @param function of the forms that have one
   */
  public QuantGelu(String name, int channels, Activation function) {
    this.name = name;
    this.channels = channels;
    this.function = function;
  }

  /** Takes the node of this pass. */
  public void prepare(
      Gelu built, GeluForm geluForm, float scale, OutlierChannels inputOutliers, RealType type) {
    node = built;
    isNative = NativeRows.serves(type, channels);
    isOutlier = new boolean[channels];
    for (int c : inputOutliers.channels()) {
      isOutlier[c] = true;
    }
    form = geluForm;
    inputScale = scale;
    outliers = inputOutliers;
    if (form != GeluForm.ROW) {
      values = GeluCurve.values(form, function, scale);
      slopes = GeluCurve.slopes(form, function, scale);
      outlierSlopes =
          outliers.isEmpty()
              ? slopes
              : GeluCurve.slopes(form, function, outliers.outlierScale(scale));
    }
  }

  Gelu node() {
    return node;
  }

  /**
   * @param seen receives the values, or null
   */
  public void forward(byte[] x, byte[] out, int rows, SeenRanges seen) {
    if (node instanceof GeluRow row) {
      forwardRows(row, x, out, rows, seen);
      return;
    }
    GeluTable tables = (GeluTable) node;
    byte[] table = tables.table();
    if (isNative) {
      boolean[] met = seen == null ? null : new boolean[256];
      Objects.checkFromIndexSize(0, rows * channels, Math.min(x.length, out.length));
      NativeRows.geluCodes(
          x,
          rows,
          channels,
          table,
          outliers.isEmpty() ? table : tables.outlierTable(),
          isOutlier,
          outliers.channels(),
          met,
          out);
      include(met, seen);
      return;
    }
    for (int i = 0; i < rows * channels; i++) {
      out[i] = table[x[i] + 128];
    }
    for (int c : outliers.channels()) {
      for (int i = c; i < rows * channels; i += channels) {
        out[i] = tables.outlierTable()[x[i] + 128];
      }
    }
    if (seen != null) {
      observe(x, rows, seen);
    }
  }

  private void observe(byte[] x, int rows, SeenRanges seen) {
    boolean[] met = new boolean[256];
    ChannelRuns runs = new ChannelRuns(channels, outliers);
    for (int r = 0; r < rows * channels; r += channels) {
      for (int run = 0; run < runs.count(); run++) {
        int end = r + runs.to(run);
        for (int i = r + runs.from(run); i < end; i++) {
          met[x[i] + 128] = true;
        }
      }
    }
    include(met, seen);
  }

  private void include(boolean[] met, SeenRanges seen) {
    for (int i = 0; seen != null && i < 256; i++) {
      if (met[i]) {
        seen.include(name, values[i], values[i]);
      }
    }
  }

  /**
   * Turns codes as numbers, outliers shifted, into values divided by the scale: what the gradient
   * of the weights that read them needs. Changes nothing where the codes are symmetric.
   */
  void addOffset(Reals codes, int rows, Buffers buffers) {
    if (form != GeluForm.ASYMMETRIC) {
      return;
    }
    double[] offsets = buffers.doubles("gelu.offsets", channels);
    Arrays.fill(offsets, 0, channels, AsymmetricGelu.offset(node.outputScale()));
    OutlierChannels apart = node.outputOutliers();
    double outlier = AsymmetricGelu.offset(apart.outlierScale(node.outputScale())) * apart.factor();
    for (int c : apart.channels()) {
      offsets[c] = outlier;
    }
    if (NativeRows.serves(codes)) {
      NativeRows.addOffsets(NativeRows.address(codes, 0, rows * channels), rows, channels, offsets);
      return;
    }
    double[] row = buffers.doubles("gelu", channels);
    for (int from = 0; from < rows * channels; from += channels) {
      codes.get(from, row, 0, channels);
      for (int c = 0; c < channels; c++) {
        row[c] += offsets[c];
      }
      codes.put(from, row, 0, channels);
    }
  }

  private void forwardRows(GeluRow row, byte[] x, byte[] out, int rows, SeenRanges seen) {
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    for (int r = 0; r < rows * channels; r += channels) {
      int maximum = ShiftGelu.rowMax(x, r, channels);
      for (int i = r; i < r + channels; i++) {
        out[i] = row.apply(x[i], maximum);
        int product = x[i] * row.sigmoid(x[i], maximum);
        min = Math.min(min, product);
        max = Math.max(max, product);
      }
    }
    if (seen != null) {
      double scale = ShiftGelu.productScale(inputScale);
      seen.include(name, min * scale, max * scale);
    }
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}): multiplies each
   * gradient by the slope at its input.
   */
  public void backward(byte[] x, Reals g, int rows, Buffers buffers) {
    if (NativeRows.serves(g, channels) && !(node instanceof GeluRow)) {
      Objects.checkFromIndexSize(0, rows * channels, x.length);
      NativeRows.geluCodesBackward(
          x,
          NativeRows.address(g, 0, rows * channels),
          rows,
          channels,
          slopes,
          outlierSlopes,
          outliers.channels());
      return;
    }
    double[] row = buffers.doubles("gelu", channels);
    double[] outlier = buffers.doubles("gelu.outlier", channels);
    for (int r = 0; r < rows; r++) {
      int from = r * channels;
      g.get(from, row, 0, channels);
      if (node instanceof GeluRow table) {
        int maximum = ShiftGelu.rowMax(x, from, channels);
        for (int c = 0; c < channels; c++) {
          int code = x[from + c];
          row[c] *= GeluCurve.slope(code * (double) inputScale, table.sigmoid(code, maximum));
        }
      } else {
        for (int c : outliers.channels()) {
          outlier[c] = row[c] * outlierSlopes[x[from + c] + 128];
        }
        for (int c = 0; c < channels; c++) {
          row[c] *= slopes[x[from + c] + 128];
        }
        for (int c : outliers.channels()) {
          row[c] = outlier[c];
        }
      }
      g.put(from, row, 0, channels);
    }
  }
}
