package org.ivit.core.engine.portable;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Products;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.engine.portable.product.Requantizer;
import org.ivit.core.engine.reference.NodeKernels;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.Residual;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernels against the scalar ones of the arithmetic, at extremes and odd sizes. */
class KernelsTest {
  private static final int TOP = 1 << 24;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 30, 31, 32, 47, 62})
  void requantizesAsTheArithmetic(int shift) {
    int[] accumulators = {0, 1, -1, 2, -2, 3, -3, 12345, -12345, TOP, -TOP, TOP - 1, 1 - TOP};
    int[] multipliers = {0, 1, 3, 1 << 30, Integer.MAX_VALUE, (1 << 30) + 12345};
    int[] biases = {0, 1, -1, 1 << 30, -(1 << 30), 777};
    int n = accumulators.length;
    for (int m : multipliers) {
      for (int b : biases) {
        int[] multiplier = filled(n, m);
        byte[] shifts = new byte[n];
        Arrays.fill(shifts, (byte) shift);
        int[] bias = filled(n, b);
        Requantizer requantizer = new Requantizer(new DyadicVector(multiplier, shifts), bias);
        float[] last = new float[n];
        int[] before = new int[n];
        for (int i = 0; i < n; i++) {
          last[i] = accumulators[i];
          before[i] = accumulators[n - 1 - i];
        }
        check(requantizer, m, shift, b, last, null);
        check(requantizer, m, shift, b, last, before);
      }
    }
  }

  private static void check(
      Requantizer requantizer, int m, int shift, int bias, float[] last, int[] before) {
    int n = last.length;
    byte[] bytes = new byte[n + 1];
    short[] shorts = new short[n + 1];
    requantizer.to8(0, n, last, before, bytes, 1);
    requantizer.to16(0, n, last, before, shorts, 1);
    for (int i = 0; i < n; i++) {
      long z = (long) last[i] + (before == null ? 0 : before[i]) + bias;
      long expected = Dyadic.requantize(z, m, shift);
      assertThat(bytes[i + 1]).isEqualTo(Quantizer.clamp8(expected));
      assertThat(shorts[i + 1]).isEqualTo(Quantizer.clamp16(expected));
    }
    byte[] spread = new byte[2 * n + 1];
    if (before == null) {
      requantizer.columnTo8(2, n, last, spread, 1, 2);
      for (int i = 0; i < n; i++) {
        assertThat(spread[1 + 2 * i]).isEqualTo(bytes[i + 1]);
      }
    }
    if (shift >= 40) {
      int[] ints = new int[n];
      requantizer.to32(0, n, last, before, ints, 0);
      for (int i = 0; i < n; i++) {
        long z = (long) last[i] + (before == null ? 0 : before[i]) + bias;
        assertThat(ints[i]).isEqualTo((int) Dyadic.requantize(z, m, shift));
      }
    }
  }

  @Test
  void requantizesAPieceWithItsOwnChannels() {
    int[] multiplier = {1 << 30, 3 << 29, 5, Integer.MAX_VALUE};
    byte[] shift = {33, 35, 4, 62};
    int[] bias = {4, -9, 100, 1 << 29};
    DyadicVector vector = new DyadicVector(multiplier, shift);
    byte[] out = new byte[2];
    new Requantizer(vector, bias).to8(2, 2, new float[] {-77, 1 << 23}, null, out, 0);
    assertThat(out[0]).isEqualTo(Quantizer.clamp8(vector.apply(2, -77 + 100)));
    assertThat(out[1]).isEqualTo(Quantizer.clamp8(vector.apply(3, (1 << 23) + (1 << 29))));
  }

  @Test
  void addsAsTheArithmetic() {
    int[][] ratios = {{1 << 30, 31, 1 << 30, 30}, {Integer.MAX_VALUE, 1, 1, 62}, {0, 5, 7, 2}};
    short[] values = {0, 1, -1, 2, -3, 32767, -32768, 1234, -4321};
    for (int[] r : ratios) {
      Residual node = new Residual("r", new Dyadic(r[0], r[1]), new Dyadic(r[2], r[3]), 1f);
      for (short identity : values) {
        short[] out = new short[values.length];
        Arrays.fill(out, identity);
        new Adder(node).add(values, 0, out, 0, out, 0, values.length);
        for (int i = 0; i < values.length; i++) {
          assertThat(out[i]).isEqualTo(node.add(values[i], identity));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 31, 192, 769})
  void normalisesAsTheArithmetic(int channels) {
    Random random = new Random(channels);
    float[] gamma = new float[channels];
    float[] beta = new float[channels];
    for (int c = 0; c < channels; c++) {
      gamma[c] = (float) random.nextGaussian();
      beta[c] = (float) (random.nextGaussian() * 3);
    }
    gamma[0] = 0;
    for (float scale : new float[] {0.001f, 0.03f, 8f}) {
      ILayerNorm.Constants constants =
          ILayerNorm.constants("n", gamma, beta, 0, scale, OutlierChannels.NONE);
      NormKernel kernel = new NormKernel(constants);
      for (int form = 0; form < 7; form++) {
        short[] x = row(form, channels, random);
        byte[] expected = new byte[channels + 2];
        byte[] found = new byte[channels + 2];
        ILayerNorm.row(x, 1, channels, constants, 8, expected, 2);
        kernel.row(x, 1, found, 2);
        assertThat(found).isEqualTo(expected);
      }
    }
  }

  private static short[] row(int form, int channels, Random random) {
    short[] x = new short[channels + 1];
    for (int c = 1; c <= channels; c++) {
      x[c] =
          switch (form) {
            case 0 -> 0;
            case 1 -> Short.MIN_VALUE;
            case 2 -> Short.MAX_VALUE;
            case 3 -> c % 2 == 0 ? Short.MIN_VALUE : Short.MAX_VALUE;
            case 4 -> (short) (c == channels ? 32767 : -32768);
            case 5 -> (short) random.nextInt(3);
            default -> (short) random.nextInt(1 << 16);
          };
    }
    return x;
  }

  @ParameterizedTest
  @EnumSource
  void activatesAsTheArithmetic(GeluForm form) {
    int channels = 263;
    OutlierChannels outliers =
        form == GeluForm.EXACT
            ? new OutlierChannels(new int[] {0, 5, 262}, 3)
            : OutlierChannels.NONE;
    Gelu gelu = Gelu.of("g", form, Activation.GELU, 0.03f, outliers, 0.02f, outliers);
    byte[] x = new byte[5 * channels];
    new Random(3).nextBytes(x);
    Arrays.fill(x, channels, 2 * channels, (byte) -128);
    Arrays.fill(x, 2 * channels, 3 * channels, (byte) 127);
    Arrays.fill(x, 3 * channels, 4 * channels, (byte) -5);
    byte[] found = new byte[x.length];
    GeluKernel kernel = new GeluKernel(gelu, channels);
    for (int r = 0; r < 5; r++) {
      kernel.row(x, r * channels, found);
    }
    assertThat(found).isEqualTo(NodeKernels.gelu(gelu, x, channels));
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,SHIFT,16",
    "2,1,3,EXACT,16",
    "5,3,7,SHIFT,8",
    "17,2,9,EXACT,8",
    "33,1,16,EXACT,2",
    "50,3,4,SHIFT,16",
    "257,1,2,EXACT,16",
    "4,1,1025,EXACT,16",
    "3,2,1030,SHIFT,8",
    "1,2,3,DEFERRED,8",
    "197,3,5,DEFERRED,8",
    "513,1,2,DEFERRED,8",
    "1200,1,2,DEFERRED,8"
  })
  void attendsAsTheArithmetic(int tokens, int heads, int headDim, SoftmaxForm form, int bits) {
    Random random = new Random(tokens);
    int channels = heads * headDim;
    Block site = new Block("blocks.0", channels, heads, 4, tokens, null, 1e-6);
    OutlierChannels outliers = new OutlierChannels(new int[] {channels - 1}, 1);
    byte[] qkv = new byte[tokens * 3 * channels];
    for (int fill = 0; fill < 4; fill++) {
      random.nextBytes(qkv);
      if (fill > 0) {
        Arrays.fill(qkv, (byte) (fill == 1 ? -128 : fill == 2 ? 127 : 0));
      }
      float scoresScale = 0.01f * headDim;
      Attention node =
          new Attention(
              "a",
              heads,
              headDim,
              Attention.scores("a.scores", 0.02f, headDim, scoresScale),
              scoresScale,
              null,
              SoftmaxTable.of("a.softmax", form, scoresScale, tokens, bits),
              DyadicVector.of(
                  "a.context",
                  AttentionScales.context(0.02f, form == SoftmaxForm.DEFERRED ? 16 : bits),
                  channels,
                  0.02f,
                  outliers),
              outliers,
              0.02f);
      byte[] found = new byte[tokens * channels];
      AttentionKernel kernel = new AttentionKernel(node, site);
      AttentionKernel.Scratch scratch =
          new AttentionKernel.Scratch(tokens, heads, headDim, ExactProduct.loops());
      int middle = tokens / 3;
      for (int h = 0; h < heads; h++) {
        kernel.run(qkv, 0, h, middle, tokens, found, scratch);
        if (middle > 0) {
          kernel.run(qkv, 0, h, 0, middle, found, scratch);
        }
      }
      assertThat(found).isEqualTo(expected(node, qkv, tokens));
    }
  }

  private static byte[] expected(Attention node, byte[] qkv, int tokens) {
    int heads = node.heads();
    int headDim = node.headDim();
    int channels = heads * headDim;
    SoftmaxTable softmax = node.softmax();
    byte[] out = new byte[tokens * channels];
    byte[] scores = new byte[tokens];
    short[] probabilities = new short[tokens];
    for (int h = 0; h < heads; h++) {
      for (int q = 0; q < tokens; q++) {
        for (int k = 0; k < tokens; k++) {
          int dot =
              Products.dot(
                  qkv,
                  q * 3 * channels + h * headDim,
                  qkv,
                  k * 3 * channels + channels + h * headDim,
                  headDim);
          scores[k] = Quantizer.clamp8(node.scores().apply(dot));
        }
        softmax.row(scores, 0, tokens, null, 0, probabilities, 0);
        int total = 0;
        for (short p : probabilities) {
          total += p;
        }
        for (int d = 0; d < headDim; d++) {
          int c = h * headDim + d;
          int sum = Products.context(probabilities, 0, qkv, 2 * channels + c, 3 * channels, tokens);
          int y = softmax.deferred() ? SoftmaxTable.normalise(sum, Integer.MAX_VALUE / total) : sum;
          out[q * channels + c] = Quantizer.clamp8(node.context().apply(c, y));
        }
      }
    }
    return out;
  }

  private static int[] filled(int n, int value) {
    int[] array = new int[n];
    Arrays.fill(array, value);
    return array;
  }
}
