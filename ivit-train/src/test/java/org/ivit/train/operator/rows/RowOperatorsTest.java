package org.ivit.train.operator.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The four operators on their own against the golden operators. */
class RowOperatorsTest {
  private static final WorkerPool POOL = new WorkerPool(2);

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  /** An operator with its memory. */
  private static final class Case {
    final QuantizedOperator operator;
    final Execution run;
    final Reals weights;
    final Reals gradients;
    final Reals x;
    final Reals y;
    final int rows;

    Case(QuantizedOperator operator, RealType type, int rows, int inputs, int outputs) {
      this.operator = operator;
      this.run = new Execution(POOL, type);
      this.rows = rows;
      this.weights = Reals.allocate(type, operator.layout().size());
      this.gradients = Reals.allocate(type, operator.layout().size());
      this.x = Reals.allocate(type, rows * inputs);
      this.y = Reals.allocate(type, rows * outputs);
      for (ParameterLayout.Entry entry : operator.layout().entries()) {
        if (entry.kind() == ParameterKind.RANGE) {
          weights.put(entry.from(), 1);
          weights.put(entry.from() + 1, -1);
        }
      }
    }

    Case parameter(String key, float[] values) {
      weights.put(operator.layout().from(key), values, 0, values.length);
      return this;
    }

    Case scale(String node, float scale, int bits) {
      int from = operator.layout().from("range." + node);
      Range range = rangeOf(scale, bits);
      weights.put(from, range.min());
      weights.put(from + 1, range.max());
      return this;
    }

    Case input(int[] codes, float scale) {
      for (int i = 0; i < codes.length; i++) {
        x.put(i, codes[i] * (double) scale);
      }
      return this;
    }

    int[] codes() {
      operator.forward(weights, x, y, rows, true, run);
      double scale = operator.outputScale(weights);
      int[] codes = new int[y.size()];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = (int) Math.rint(y.get(i) / scale);
        assertThat(Math.abs(y.get(i) - codes[i] * scale)).isLessThanOrEqualTo(1e-6 * scale * 32768);
      }
      return codes;
    }

    double[] inputGradient(double[] g) {
      Reals gx = Reals.allocate(x.type(), x.size());
      operator.backward(weights, x, Reals.of(x.type(), g), gx, gradients, rows, run);
      return gx.doubles();
    }

    double[] gradient(String key) {
      ParameterLayout.Entry entry = operator.layout().entry(key);
      double[] values = new double[entry.size()];
      gradients.get(entry.from(), values, 0, values.length);
      return values;
    }
  }

  /** A range whose scale is the given one. */
  private static Range rangeOf(float scale, int bits) {
    float max = scale * ((1 << (bits - 1)) - 1);
    for (float v : new float[] {max, Math.nextUp(max), Math.nextDown(max)}) {
      if (Quantizer.scale(-v, v, bits) == scale) {
        return new Range(-v / 3, v);
      }
    }
    throw new AssertionError("no range has the scale " + scale);
  }

  private static TensorFile always(String operator) {
    // In the package phase the core's test resources lie in a jar, where no path leads.
    try (InputStream in =
        RowOperatorsTest.class.getResourceAsStream("/golden/ops/" + operator + ".safetensors")) {
      Path copy = Files.createTempFile("golden", ".safetensors");
      copy.toFile().deleteOnExit();
      Files.write(copy, in.readAllBytes());
      return Safetensors.read(copy);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TensorFile whole(String operator) {
    return Shared.tensors("golden/ops/" + operator + ".safetensors");
  }

  private static int size(TensorFile golden, String tensor, int axis) {
    return (int) golden.get(tensor).shape()[axis];
  }

  private static float scalar(TensorFile golden, String tensor) {
    return golden.get(tensor).floats()[0];
  }

  private static void assertClose(RealType type, String name, double[] found, double[] expected) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    double tolerance = type == RealType.FLOAT32 ? 1e-5 : 1e-12;
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(found[i] - expected[i]))
          .as("%s[%s]: found %s, expected %s", name, i, found[i], expected[i])
          .isLessThanOrEqualTo(tolerance * largest);
    }
  }

  private static Case linear(TensorFile golden, RealType type, int bits) {
    int inputs = size(golden, "weight", 1);
    int outputs = size(golden, "weight", 0);
    return new Case(
            new LinearOperator("fc", inputs, outputs, bits),
            type,
            size(golden, "x", 0),
            inputs,
            outputs)
        .parameter("linear.weight", golden.get("weight").floats())
        .parameter("linear.bias", golden.get("bias").floats())
        .scale("input", scalar(golden, "x_scale"), 8)
        .scale("output", scalar(golden, "out_scale"), bits)
        .input(golden.get("x").ints(), scalar(golden, "x_scale"));
  }

  @ParameterizedTest
  @EnumSource(RealType.class)
  void linearEqualsGoldenCodesAndGradients(RealType type) {
    TensorFile golden = always("linear");
    Case one = linear(golden, type, 8);
    assertThat(one.codes()).isEqualTo(golden.get("out").ints());
    double[] gx = one.inputGradient(golden.get("grad_out_f64").doubles());
    assertClose(type, "x", gx, golden.get("grad_x_f64").doubles());
    assertClose(
        type, "weight", one.gradient("linear.weight"), golden.get("grad_weight_f64").doubles());
    assertClose(type, "bias", one.gradient("linear.bias"), golden.get("grad_bias_f64").doubles());
    assertThat(one.gradient("range.input")).containsOnly(0);
    assertThat(one.gradient("range.output")).containsOnly(0);
  }

  @Test
  void linearWith16BitOutputsClampsThere() {
    TensorFile golden = always("linear");
    Case one = linear(golden, RealType.FLOAT64, 16);
    int[] narrow = golden.get("out").ints();
    int[] wide = one.codes();
    int beyond = 0;
    for (int i = 0; i < wide.length; i++) {
      assertThat(Quantizer.clamp8(wide[i])).isEqualTo((byte) narrow[i]);
      beyond += wide[i] == narrow[i] ? 0 : 1;
    }
    assertThat(beyond).isPositive();
  }

  private static Case softmax(TensorFile golden, int i, SoftmaxForm form, RealType type) {
    int channels = size(golden, "codes_" + i, 1);
    int bits = (int) golden.get("bits_" + i).longs()[0];
    return new Case(
            new ShiftmaxOperator("p", channels, form, bits),
            type,
            size(golden, "codes_" + i, 0),
            channels,
            channels)
        .scale("input", scalar(golden, "scale_" + i), 8)
        .input(golden.get("codes_" + i).ints(), scalar(golden, "scale_" + i));
  }

  /** Case 4 has a mask, which the layer does not take. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 5, 6, 7})
  void shiftmaxEqualsGoldenCodes(int i) {
    TensorFile golden = always("shiftmax");
    assertThat(softmax(golden, i, SoftmaxForm.SHIFT, RealType.FLOAT32).codes())
        .isEqualTo(golden.get("out_" + i).ints());
    assertThat(softmax(golden, i, SoftmaxForm.EXACT, RealType.FLOAT32).codes())
        .isEqualTo(golden.get("exact_out_" + i).ints());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 5, 6, 7})
  void shiftmaxEqualsGoldenGradients(int i) {
    TensorFile golden = whole("shiftmax");
    double[] g = golden.get("grad_out_f64_" + i).doubles();
    for (RealType type : RealType.values()) {
      Case shift = softmax(golden, i, SoftmaxForm.SHIFT, type);
      shift.codes();
      assertClose(type, "shift", shift.inputGradient(g), golden.get("grad_x_f64_" + i).doubles());
      Case exact = softmax(golden, i, SoftmaxForm.EXACT, type);
      exact.codes();
      assertClose(
          type, "exact", exact.inputGradient(g), golden.get("exact_grad_x_f64_" + i).doubles());
    }
  }

  private static Case gelu(TensorFile golden, int i, GeluForm form, RealType type) {
    int channels = size(golden, "codes_" + i, 1);
    return new Case(
            new ShiftGeluOperator("act", channels, form),
            type,
            size(golden, "codes_" + i, 0),
            channels,
            channels)
        .scale("input", scalar(golden, "scale_" + i), 8)
        .scale("output", scalar(golden, "out_scale_" + i), 8)
        .input(golden.get("codes_" + i).ints(), scalar(golden, "scale_" + i));
  }

  @ParameterizedTest
  @CsvSource({
    "ROW,0",
    "ROW,1",
    "ROW,2",
    "ROW,3",
    "ELEMENT,0",
    "ELEMENT,1",
    "ELEMENT,2",
    "ELEMENT,3",
    "EXACT,0",
    "EXACT,1",
    "EXACT,2",
    "EXACT,3"
  })
  void shiftGeluEqualsGoldenCodes(GeluForm form, int i) {
    TensorFile golden = always("shiftgelu");
    assertThat(gelu(golden, i, form, RealType.FLOAT32).codes())
        .isEqualTo(golden.get("out_" + lower(form) + "_" + i).ints());
  }

  @ParameterizedTest
  @CsvSource({
    "ROW,0",
    "ROW,1",
    "ROW,2",
    "ROW,3",
    "ELEMENT,0",
    "ELEMENT,1",
    "ELEMENT,2",
    "ELEMENT,3",
    "EXACT,0",
    "EXACT,1",
    "EXACT,2",
    "EXACT,3"
  })
  void shiftGeluEqualsGoldenGradients(GeluForm form, int i) {
    TensorFile golden = whole("shiftgelu");
    for (RealType type : RealType.values()) {
      Case one = gelu(golden, i, form, type);
      one.codes();
      assertClose(
          type,
          lower(form),
          one.inputGradient(golden.get("grad_out_f64_" + i).doubles()),
          golden.get("grad_x_" + lower(form) + "_f64_" + i).doubles());
    }
  }

  private static String lower(GeluForm form) {
    return form.name().toLowerCase(java.util.Locale.ROOT);
  }

  private static Case norm(TensorFile golden, int i, RealType type) {
    int channels = size(golden, "codes_" + i, 1);
    return new Case(
            new ILayerNormOperator("ln", channels),
            type,
            size(golden, "codes_" + i, 0),
            channels,
            channels)
        .parameter("norm.weight", golden.get("gamma_" + i).floats())
        .parameter("norm.bias", golden.get("beta_" + i).floats())
        .scale("input", scalar(golden, "scale_" + i), 16)
        .scale("output", scalar(golden, "out_scale_" + i), 8)
        .input(golden.get("codes_" + i).ints(), scalar(golden, "scale_" + i));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 4, 5, 6})
  void layerNormEqualsGoldenCodes(int i) {
    TensorFile golden = always("layernorm");
    for (RealType type : RealType.values()) {
      assertThat(norm(golden, i, type).codes()).isEqualTo(golden.get("out_" + i).ints());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void layerNormEqualsGoldenGradients(int i) {
    TensorFile golden = whole("layernorm");
    for (RealType type : RealType.values()) {
      Case one = norm(golden, i, type);
      assertThat(one.codes()).isEqualTo(golden.get("out_" + i).ints());
      assertClose(
          type,
          "x",
          one.inputGradient(golden.get("grad_out_f64_" + i).doubles()),
          golden.get("grad_x_f64_" + i).doubles());
      assertClose(
          type, "gamma", one.gradient("norm.weight"), golden.get("grad_gamma_f64_" + i).doubles());
      assertClose(
          type, "beta", one.gradient("norm.bias"), golden.get("grad_beta_f64_" + i).doubles());
    }
  }

  @Test
  void seesInputsAndSumsOfALaggedStepAndNothingOfAFrozenOne() {
    TensorFile golden = always("linear");
    Case one = linear(golden, RealType.FLOAT32, 8);
    int[] frozen = one.codes();
    assertThat(one.operator.seenRanges()).isEmpty();
    one.run.rangeMode(RangeMode.LAGGED);
    assertThat(one.codes()).isEqualTo(frozen);
    assertThat(one.operator.seenRanges()).isEqualTo(expected(golden, one));
    one.operator.forward(one.weights, one.x, one.y, one.rows, false, one.run);
    assertThat(one.operator.seenRanges()).isEmpty();
  }

  private static SortedMap<String, Range> expected(TensorFile golden, Case one) {
    float[] x = one.x.floats();
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (float v : x) {
      min = Math.min(min, v);
      max = Math.max(max, v);
    }
    int[] acc = golden.get("acc").ints();
    float[] weightScale = golden.get("weight_scale").floats();
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < acc.length; i++) {
      double value =
          acc[i] * (double) (weightScale[i % weightScale.length] * scalar(golden, "x_scale"));
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return new java.util.TreeMap<>(
        Map.of("fc.input", new Range(min, max), "fc.linear", new Range((float) low, (float) high)));
  }

  @Test
  void takesTheFirstLaggedBatchWholeWhereNoRangeWasSet() {
    TensorFile golden = always("layernorm");
    Case set = norm(golden, 1, RealType.FLOAT32);
    Case unset = norm(golden, 1, RealType.FLOAT32);
    ParameterLayout layout = unset.operator.layout();
    for (String key : unset.operator.rangeNodes().keySet()) {
      unset.weights.put(layout.from(key), 1);
      unset.weights.put(layout.from(key) + 1, -1);
    }
    unset.run.rangeMode(RangeMode.LAGGED);
    unset.operator.forward(unset.weights, unset.x, unset.y, unset.rows, true, unset.run);
    SortedMap<String, Range> seen = unset.operator.seenRanges();
    assertThat(seen).containsOnlyKeys("ln.input", "ln.norm");
    unset
        .operator
        .rangeNodes()
        .forEach(
            (key, node) -> {
              set.weights.put(layout.from(key), seen.get(node).min());
              set.weights.put(layout.from(key) + 1, seen.get(node).max());
            });
    set.codes();
    assertThat(unset.y.doubles()).isEqualTo(set.y.doubles());
    double[] g = new double[set.y.size()];
    java.util.Arrays.setAll(g, i -> Math.sin(i));
    assertThat(unset.inputGradient(g)).isEqualTo(set.inputGradient(g));
  }

  @Test
  void namesTheNodeWithoutARange() {
    Case one = new Case(new ShiftGeluOperator("act", 3, GeluForm.ROW), RealType.FLOAT32, 2, 3, 3);
    one.run.rangeMode(RangeMode.LAGGED);
    assertThatThrownBy(() -> one.operator.forward(one.weights, one.x, one.y, 2, false, one.run))
        .isInstanceOf(InputException.class)
        .hasMessage("act.input: found no range, expected one from calibration or a checkpoint");
  }

  @Test
  void namesTheInputThatIsNotFinite() {
    TensorFile golden = always("linear");
    Case one = linear(golden, RealType.FLOAT32, 8);
    one.x.put(5, Double.NaN);
    assertThatThrownBy(
            () -> one.operator.forward(one.weights, one.x, one.y, one.rows, true, one.run))
        .isInstanceOf(InputException.class)
        .hasMessage("fc.input: found NaN, expected a finite value");
  }

  @Test
  void refusesWidthsThatDoNotExist() {
    assertThatThrownBy(() -> new LinearOperator("fc", 4, 4, 12))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("fc: output of 12 bits, expected 8 or 16");
    assertThatThrownBy(() -> new ShiftmaxOperator("p", 4, SoftmaxForm.EXACT, 17))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("p: probabilities of 17 bits, expected 2 to 16");
  }
}
