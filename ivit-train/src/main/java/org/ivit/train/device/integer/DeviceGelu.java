package org.ivit.train.device.integer;

import java.util.Arrays;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.integer.GeluCurve;

/** The activation function of codes on the device. */
final class DeviceGelu {
  private static final int CODES = 256;

  private final Activation function;
  private final int channels;
  private Gelu node;
  private GeluRow row;
  private float inputScale;
  private int sigmoids;
  private double[] values;
  private int tables;
  private int slopes;
  private int flags;
  private boolean apart;
  private int met;

  private static final class GeluArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> gradient = address();
    private final Field<Long> tables = address();
    private final Field<Long> slopes = address();
    private final Field<Long> outliers = address();
    private final Field<Long> met = address();
    private final Field<Long> count = int64();
    private final Field<Integer> channels = int32();
    private final Field<Integer> unused = unused();
  }

  private static final class ObservedGeluRowArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> gradient = address();
    private final Field<Long> sigmoid = address();
    private final Field<Long> extremes = address();
    private final Field<Double> scale = float64();
    private final Field<Long> rows = int64();
    private final Field<Long> rounding = int64();
    private final Field<Integer> channels = int32();
    private final Field<Integer> multiplier = int32();
    private final Field<Integer> shift = int32();
    private final Field<Integer> unused = unused();
  }

  DeviceGelu(ActivationSpec site) {
    function = site.function();
    channels = site.channels();
  }

  /**
   * Takes the node of this step.
   *
   * @param form of the network
   * @param scale of the input codes
   * @param outliers of the input
   */
  void prepare(Pass pass, Gelu built, GeluForm form, float scale, OutlierChannels outliers) {
    node = built;
    if (built instanceof GeluRow rowNode) {
      row = rowNode;
      inputScale = scale;
      sigmoids = pass.constants.shorts(rowNode.sigmoid());
      met = pass.observed.ints(Integer.MAX_VALUE, Integer.MIN_VALUE);
      return;
    }
    GeluTable table = (GeluTable) built;
    apart = !outliers.isEmpty();
    values = GeluCurve.values(form, function, scale);
    byte[] both = Arrays.copyOf(table.table(), 2 * CODES);
    System.arraycopy(apart ? table.outlierTable() : table.table(), 0, both, CODES, CODES);
    tables = pass.constants.bytes(both);
    double[] own = GeluCurve.slopes(form, function, scale);
    double[] other = apart ? GeluCurve.slopes(form, function, outliers.outlierScale(scale)) : own;
    float[] slope = new float[2 * CODES];
    byte[] flag = new byte[channels];
    for (int i = 0; i < CODES; i++) {
      slope[i] = (float) own[i];
      slope[CODES + i] = (float) other[i];
    }
    for (int c : outliers.channels()) {
      flag[c] = 1;
    }
    slopes = pass.constants.floats(slope);
    flags = pass.constants.bytes(flag);
    met = pass.observed.ints(new int[CODES / 32]);
  }

  private GeluArguments arguments(Pass pass, long from, long to, long gradient, int rows) {
    GeluArguments a = new GeluArguments();
    a.from.set(from);
    a.to.set(to);
    a.gradient.set(gradient);
    a.tables.set(pass.constants.at(tables));
    a.slopes.set(pass.constants.at(slopes));
    a.outliers.set(apart ? pass.constants.at(flags) : 0);
    a.met.set(pass.observed(met));
    a.count.set((long) rows * channels);
    a.channels.set(channels);
    return a;
  }

  /** Form {@code row}, whose sigmoids follow from the largest code of a row. */
  private ObservedGeluRowArguments rowArguments(
      Pass pass, long from, long to, long gradient, int rows) {
    Dyadic requantization = row.requantization();
    ObservedGeluRowArguments a = new ObservedGeluRowArguments();
    a.from.set(from);
    a.to.set(to);
    a.gradient.set(gradient);
    a.sigmoid.set(pass.constants.at(sigmoids));
    a.extremes.set(pass.observed(met));
    a.scale.set((double) inputScale);
    a.rows.set((long) rows);
    a.rounding.set(1L << (requantization.shift() - 1));
    a.channels.set(channels);
    a.multiplier.set(requantization.multiplier());
    a.shift.set(requantization.shift());
    return a;
  }

  /**
   * @param x address of codes, [rows][channels]
   * @param out receives codes
   */
  void forward(Pass pass, long x, int rows, long out) {
    if (row != null) {
      pass.warps("gelu_row_observed", rows, rowArguments(pass, x, out, 0, rows));
      return;
    }
    pass.each("gelu_codes", (long) rows * channels, CODES / 8, arguments(pass, x, out, 0, rows));
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}): multiplies each
   * gradient by the slope at its input.
   *
   * @param x codes of the forward pass
   * @param gradient [rows][channels], in place
   */
  void backward(Pass pass, long x, long gradient, int rows) {
    if (row != null) {
      pass.warps("gelu_row_backward", rows, rowArguments(pass, x, 0, gradient, rows));
      return;
    }
    pass.each("gelu_backward", (long) rows * channels, 0, arguments(pass, x, 0, gradient, rows));
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    if (row != null) {
      double scale = ShiftGelu.productScale(inputScale);
      seen.include(
          node.name(), pass.observed.intAt(met, 0) * scale, pass.observed.intAt(met, 1) * scale);
      return;
    }
    for (int i = 0; i < CODES; i++) {
      if ((pass.observed.intAt(met, i / 32) >>> (i % 32) & 1) != 0) {
        seen.include(node.name(), values[i], values[i]);
      }
    }
  }
}
