package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every integer of the golden operators. */
class GoldenOpsTest {

  @Test
  void dyadicMultipliers() {
    GoldenOps golden = GoldenOps.of("dyadic");
    double[] ratio = golden.doubles("ratio");
    Dyadic[] found = new Dyadic[ratio.length];
    for (int i = 0; i < ratio.length; i++) {
      found[i] = Dyadic.of(ratio[i]);
    }
    assertThat(ratio).hasSize(662);
    assertThat(IntStream.range(0, ratio.length).mapToLong(i -> found[i].multiplier()).toArray())
        .isEqualTo(golden.longs("m"));
    assertThat(IntStream.range(0, ratio.length).mapToLong(i -> found[i].shift()).toArray())
        .isEqualTo(golden.longs("e"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void requantization(int i) {
    GoldenOps golden = GoldenOps.of("requantize");
    double[] ratio = golden.doubles("ratio_" + i);
    long[] constants = golden.longs("m_e_" + i);
    Dyadic branch = Dyadic.of(ratio[0]);
    Dyadic identity = Dyadic.of(ratio[1]);
    assertThat(branch).isEqualTo(new Dyadic((int) constants[0], (int) constants[1]));
    assertThat(identity).isEqualTo(new Dyadic((int) constants[2], (int) constants[3]));
    int bits = golden.integer("bits_" + i);
    int[] z = golden.ints("z");
    int[] id = golden.ints("identity");
    int[] out = new int[z.length];
    int[] sum = new int[z.length];
    for (int j = 0; j < z.length; j++) {
      out[j] = Quantizer.clamp(branch.apply(z[j]), bits);
      sum[j] =
          bits == 8
              ? Dyadic.add8(
                  z[j],
                  branch.multiplier(),
                  branch.shift(),
                  id[j],
                  identity.multiplier(),
                  identity.shift())
              : Dyadic.add16(
                  z[j],
                  branch.multiplier(),
                  branch.shift(),
                  id[j],
                  identity.multiplier(),
                  identity.shift());
    }
    assertThat(out).isEqualTo(golden.ints("out_" + i));
    assertThat(sum).isEqualTo(golden.ints("out_add_" + i));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void quantization(int i) {
    GoldenOps golden = GoldenOps.of("quantize");
    int bits = golden.integer("bits_" + i);
    float scale = golden.scalar("scale_" + i);
    float[] x = golden.floats("x");
    assertThat(codes(x, scale, bits)).isEqualTo(golden.ints("codes_" + i));
    if (bits == 8) {
      assertThat(Quantizer.codes8("x", x, scale)).isEqualTo(narrow8(golden.ints("codes_" + i)));
    } else {
      short[] codes = Quantizer.codes16("x", x, scale);
      assertThat(IntStream.range(0, codes.length).map(j -> codes[j]).toArray())
          .isEqualTo(golden.ints("codes_" + i));
    }
  }

  private static int[] codes(float[] x, float scale, int bits) {
    float reciprocal = Quantizer.reciprocal(scale);
    return IntStream.range(0, x.length).map(i -> Quantizer.code(x[i], reciprocal, bits)).toArray();
  }

  @Test
  void quantizationNearTiesIsNotDivision() {
    GoldenOps golden = GoldenOps.of("quantize");
    float[] x = golden.floats("ties_x");
    float scale = golden.scalar("ties_scale");
    int[] codes = codes(x, scale, 8);
    assertThat(codes).isEqualTo(golden.ints("ties_codes"));
    long differing =
        IntStream.range(0, x.length)
            .filter(
                j -> codes[j] != Math.max(-128, Math.min(127, Math.rint((double) (x[j] / scale)))))
            .count();
    assertThat(differing).isEqualTo(142);
  }

  @Test
  void linear() {
    GoldenOps golden = GoldenOps.of("linear");
    int outputs = golden.rows("weight");
    int inputs = golden.columns("weight");
    int rows = golden.rows("x");
    QuantizedLinear layer =
        LinearQuantizer.quantize(
            "linear",
            golden.floats("weight"),
            golden.floats("bias"),
            outputs,
            inputs,
            golden.scalar("x_scale"),
            null);
    assertThat(layer.weight()).isEqualTo(golden.bytes("weight_codes"));
    assertThat(layer.weightScale()).isEqualTo(golden.floats("weight_scale"));
    assertThat(layer.bias()).isEqualTo(golden.ints("bias_codes"));
    assertThat(layer.raised()).isEmpty();

    DyadicVector multipliers =
        DyadicVector.of(
            "linear", layer.biasScale(), golden.scalar("out_scale"), OutlierChannels.NONE);
    assertThat(IntStream.range(0, outputs).mapToLong(c -> multipliers.multiplier()[c]).toArray())
        .isEqualTo(golden.longs("m"));
    assertThat(IntStream.range(0, outputs).mapToLong(c -> multipliers.shift()[c]).toArray())
        .isEqualTo(golden.longs("e"));

    byte[] x = golden.bytes("x");
    int[] acc = new int[rows * outputs];
    byte[] out = new byte[rows * outputs];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < outputs; c++) {
        acc[r * outputs + c] =
            Products.linear(
                x,
                r * inputs,
                layer.weight(),
                c * inputs,
                inputs,
                layer.bias()[c],
                OutlierChannels.NONE);
        out[r * outputs + c] = Quantizer.clamp8(multipliers.apply(c, acc[r * outputs + c]));
      }
    }
    assertThat(acc).isEqualTo(golden.ints("acc"));
    assertThat(out).isEqualTo(golden.bytes("out"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
  void softmax(int i) {
    GoldenOps golden = GoldenOps.of("shiftmax");
    int tokens = golden.columns("codes_" + i);
    int bits = golden.integer("bits_" + i);
    float scale = golden.scalar("scale_" + i);
    ShiftExponential exponential = ShiftExponential.of("softmax", scale, 15, tokens);
    assertThat(new long[] {exponential.x0(), exponential.n()}).isEqualTo(golden.longs("x0_n_" + i));
    assertSoftmax(
        golden,
        i,
        SoftmaxTable.of("softmax", SoftmaxForm.SHIFT, scale, tokens, bits),
        "table_",
        "out_");
    assertSoftmax(
        golden,
        i,
        SoftmaxTable.of("softmax", SoftmaxForm.EXACT, scale, tokens, bits),
        "exact_table_",
        "exact_out_");
  }

  private static void assertSoftmax(
      GoldenOps golden, int i, SoftmaxTable table, String exponentials, String expected) {
    byte[] codes = golden.bytes("codes_" + i);
    int rows = golden.rows("codes_" + i);
    int tokens = golden.columns("codes_" + i);
    boolean[] masked = null;
    if (golden.has("mask_" + i)) {
      int[] mask = golden.ints("mask_" + i);
      masked = new boolean[mask.length];
      for (int j = 0; j < mask.length; j++) {
        masked[j] = mask[j] == 1;
      }
    }
    short[] out = new short[codes.length];
    for (int r = 0; r < rows; r++) {
      table.row(codes, r * tokens, tokens, masked, r * tokens, out, r * tokens);
    }
    assertThat(IntStream.of(table.exponentials()).asLongStream().toArray())
        .isEqualTo(golden.longs(exponentials + i));
    assertThat(out).isEqualTo(golden.shorts(expected + i));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void gelu(int i) {
    GoldenOps golden = GoldenOps.of("shiftgelu");
    float scale = golden.scalar("scale_" + i);
    float outScale = golden.scalar("out_scale_" + i);
    byte[] codes = golden.bytes("codes_" + i);
    int rows = golden.rows("codes_" + i);
    int columns = golden.columns("codes_" + i);
    short[] rowTable = ShiftGelu.sigmoidRowTable(scale);
    short[] elementSigmoid = ShiftGelu.elementSigmoid(scale);
    byte[] elementTable = ShiftGelu.elementTable(scale, outScale);
    byte[] exactTable = ShiftGelu.exactTable(Activation.GELU, scale, outScale);
    Dyadic multiplier = ShiftGelu.multiplier(scale, outScale);

    short[] sigmoidRow = new short[codes.length];
    short[] sigmoidElement = new short[codes.length];
    byte[] row = new byte[codes.length];
    byte[] element = new byte[codes.length];
    byte[] exact = new byte[codes.length];
    for (int r = 0; r < rows; r++) {
      int max = ShiftGelu.rowMax(codes, r * columns, columns);
      ShiftGelu.row(codes, r * columns, columns, rowTable, multiplier, row, r * columns);
      for (int j = r * columns; j < (r + 1) * columns; j++) {
        sigmoidRow[j] = rowTable[ShiftGelu.rowIndex(max, codes[j])];
        sigmoidElement[j] = elementSigmoid[codes[j] + 128];
        element[j] = elementTable[codes[j] + 128];
        exact[j] = exactTable[codes[j] + 128];
      }
    }
    assertThat(sigmoidRow).isEqualTo(golden.shorts("sigmoid_row_" + i));
    assertThat(sigmoidElement).isEqualTo(golden.shorts("sigmoid_element_" + i));
    assertThat(row).isEqualTo(golden.bytes("out_row_" + i));
    assertThat(element).isEqualTo(golden.bytes("out_element_" + i));
    assertThat(exactTable).isEqualTo(golden.bytes("table_exact_" + i));
    assertThat(exact).isEqualTo(golden.bytes("out_exact_" + i));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 4, 5, 6})
  void layerNorm(int i) {
    assertLayerNorm(GoldenOps.of("layernorm"), i);
  }

  @Test
  void layerNormOf768Channels() {
    assertLayerNorm(new GoldenOps(Shared.tensors("golden/ops/layernorm.safetensors")), 2);
  }

  private static void assertLayerNorm(GoldenOps golden, int i) {
    ILayerNorm.Constants constants =
        ILayerNorm.constants(
            "norm",
            golden.floats("gamma_" + i),
            golden.floats("beta_" + i),
            0,
            golden.scalar("out_scale_" + i),
            OutlierChannels.NONE);
    assertThat(constants.shift()).isEqualTo(golden.integer("e_" + i));
    assertThat(IntStream.of(constants.multiplier()).asLongStream().toArray())
        .isEqualTo(golden.longs("m_" + i));
    assertThat(constants.offset()).isEqualTo(golden.longs("B_" + i));

    short[] codes = golden.shorts("codes_" + i);
    int rows = golden.rows("codes_" + i);
    int channels = golden.columns("codes_" + i);
    long[] normalised = new long[codes.length];
    byte[] out = new byte[codes.length];
    int[] y = new int[channels];
    for (int r = 0; r < rows; r++) {
      ILayerNorm.normalise(codes, r * channels, channels, 0, y);
      for (int c = 0; c < channels; c++) {
        normalised[r * channels + c] = y[c];
      }
      ILayerNorm.row(codes, r * channels, channels, constants, 8, out, r * channels);
    }
    assertThat(normalised).isEqualTo(golden.longs("y_" + i));
    assertThat(out).isEqualTo(golden.bytes("out_" + i));
  }

  private static byte[] narrow8(int[] codes) {
    byte[] narrow = new byte[codes.length];
    for (int i = 0; i < codes.length; i++) {
      narrow[i] = (byte) codes[i];
    }
    return narrow;
  }
}
