package org.ivit.train.device.integer;

import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.Silu;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Gating;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.SeenRanges;

/** The gating of SwiGLU on the device, of codes of gates and values. */
final class DeviceGating {
  private static final int CODES = 256;

  private final int channels;
  private Gating node;
  private float gateScale;
  private float valueScale;
  private int table;
  private int products;
  private int outliers;
  private int silu;
  private int slopes;
  private int extremes;

  private static final class ObservedGatingArguments extends Structure {
    private final Field<Long> gates = address();
    private final Field<Long> values = address();
    private final Field<Long> codes = address();
    private final Field<Long> stream = address();
    private final Field<Long> table = address();
    private final Field<Long> products = address();
    private final Field<Long> outliers = address();
    private final Field<Long> extremes = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofChannels = divisor();
    private final Field<Integer> channels = int32();
    private final Field<Integer> unused = unused();
  }

  private static final class GatingBackwardArguments extends Structure {
    private final Field<Long> gates = address();
    private final Field<Long> values = address();
    private final Field<Long> gradient = address();
    private final Field<Long> byValues = address();
    private final Field<Long> silu = address();
    private final Field<Long> slopes = address();
    private final Field<Long> count = int64();
    private final Field<Float> valueScale = float32();
    private final Field<Integer> unused = unused();
  }

  DeviceGating(int channels) {
    this.channels = channels;
  }

  /**
   * Takes the node of this step.
   *
   * @param gate scale of the gates' codes
   * @param value scale of the values' codes
   */
  void prepare(Pass pass, Gating built, float gate, float value) {
    node = built;
    gateScale = gate;
    valueScale = value;
    table = pass.constants.shorts(built.table());
    products = pass.constants.ints(dyadics(built.product()));
    byte[] flags = new byte[channels];
    for (int c : built.outputOutliers().channels()) {
      flags[c] = 1;
    }
    outliers = pass.constants.bytes(flags);
    float[] values = new float[CODES];
    float[] derivatives = new float[CODES];
    for (int i = 0; i < CODES; i++) {
      double x = (double) gate * (i - CODES / 2);
      values[i] = (float) Silu.value(x);
      derivatives[i] = (float) Silu.derivative(x);
    }
    silu = pass.constants.floats(values);
    slopes = pass.constants.floats(derivatives);
    extremes = pass.integerExtremes();
  }

  private static int[] dyadics(DyadicVector vector) {
    int[] words = new int[2 * vector.size()];
    for (int c = 0; c < vector.size(); c++) {
      words[2 * c] = vector.multiplier()[c];
      words[2 * c + 1] = vector.shift()[c];
    }
    return words;
  }

  /**
   * @param gates address of codes, [rows][channels]
   * @param values address of as many
   * @param out receives codes of the node's width
   */
  void forward(Pass pass, long gates, long values, int rows, long out) {
    boolean narrow = node.bits() == 8;
    ObservedGatingArguments a = new ObservedGatingArguments();
    a.gates.set(gates);
    a.values.set(values);
    a.codes.set(narrow ? out : 0);
    a.stream.set(narrow ? 0 : out);
    a.table.set(pass.constants.at(table));
    a.products.set(pass.constants.at(products));
    a.outliers.set(node.outputOutliers().isEmpty() ? 0 : pass.constants.at(outliers));
    a.extremes.set(pass.observed(extremes));
    a.rows.set((long) rows);
    a.ofChannels.set(Divisor.of(channels));
    a.channels.set(channels);
    long count = (long) rows * channels;
    pass.each("gate_observed_" + node.bits(), count, Pass.EXTREMES_BYTES, a);
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}).
   *
   * @param gates codes of the forward pass
   * @param values codes of the forward pass
   * @param gradient by the output, then by the gates, [rows][channels]
   * @param byValues receives that by the values, [rows][channels]
   */
  void backward(Pass pass, long gates, long values, long gradient, long byValues, int rows) {
    GatingBackwardArguments a = new GatingBackwardArguments();
    a.gates.set(gates);
    a.values.set(values);
    a.gradient.set(gradient);
    a.byValues.set(byValues);
    a.silu.set(pass.constants.at(silu));
    a.slopes.set(pass.constants.at(slopes));
    a.count.set((long) rows * channels);
    a.valueScale.set(valueScale);
    pass.each("gate_backward", (long) rows * channels, 0, a);
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    double scale = Gating.productScale(gateScale, valueScale);
    pass.includeIntegers(seen, node.name(), extremes, scale);
  }
}
