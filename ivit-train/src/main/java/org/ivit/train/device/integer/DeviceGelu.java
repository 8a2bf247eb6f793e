package org.ivit.train.device.integer;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.cuda.Divisor;
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

  /** What GELU makes of codes, in ascending order. */
  private double[] values;

  private int entries;
  private int slopes;
  private int flags;
  private boolean apart;
  private int extremes;

  private static final class GeluArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> gradient = address();
    private final Field<Long> entries = address();
    private final Field<Long> slopes = address();
    private final Field<Long> outliers = address();
    private final Field<Long> extremes = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofChannels = divisor();
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
    extremes = pass.integerExtremes();
    if (built instanceof GeluRow rowNode) {
      row = rowNode;
      inputScale = scale;
      sigmoids = pass.constants.shorts(rowNode.sigmoid());
      return;
    }
    GeluTable table = (GeluTable) built;
    apart = !outliers.isEmpty();
    values = GeluCurve.values(form, function, scale);
    entries = pass.constants.ints(entries(values, table, apart));
    Arrays.sort(values);
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
  }

  /**
   * As {@code gelu_codes.cuh} has them: an output code, and the rank of the input code by its
   * value.
   */
  private static int[] entries(double[] values, GeluTable table, boolean apart) {
    int[] entries = new int[2 * CODES];
    Integer[] ascending = IntStream.range(0, CODES).boxed().toArray(Integer[]::new);
    Arrays.sort(ascending, Comparator.comparingDouble(code -> values[code]));
    for (int rank = 0; rank < CODES; rank++) {
      int code = ascending[rank];
      entries[code] = (table.table()[code] & 0xff) | (rank << 8) | (rank << 16);
      if (apart) {
        entries[CODES + code] = (table.outlierTable()[code] & 0xff) | ((CODES - 1) << 8);
      }
    }
    return entries;
  }

  private GeluArguments arguments(Pass pass, long from, long to, long gradient, int rows) {
    GeluArguments a = new GeluArguments();
    a.from.set(from);
    a.to.set(to);
    a.gradient.set(gradient);
    a.entries.set(pass.constants.at(entries));
    a.slopes.set(pass.constants.at(slopes));
    a.outliers.set(apart ? pass.constants.at(flags) : 0);
    a.extremes.set(pass.observed(extremes));
    a.rows.set((long) rows);
    a.ofChannels.set(Divisor.of(channels));
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
    a.extremes.set(pass.observed(extremes));
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
      ObservedGeluRowArguments a = rowArguments(pass, x, out, 0, rows);
      pass.warps("gelu_row_observed", rows, Pass.EXTREMES_BYTES, a);
      return;
    }
    GeluArguments a = arguments(pass, x, out, 0, rows);
    pass.each("gelu_codes", (long) rows * channels, 2 * CODES * Integer.BYTES, a);
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
      pass.includeIntegers(seen, node.name(), extremes, ShiftGelu.productScale(inputScale));
      return;
    }
    int least = pass.observed.intAt(extremes, 0);
    int largest = pass.observed.intAt(extremes, 1);
    if (least <= largest) {
      seen.include(node.name(), values[least], values[largest]);
    }
  }
}
