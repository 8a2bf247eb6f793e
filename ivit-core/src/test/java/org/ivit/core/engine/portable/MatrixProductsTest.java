package org.ivit.core.engine.portable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.engine.portable.product.IntGemm;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.parallel.WorkerPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixProductsTest {
  private final MatrixProducts reference = new ReferenceMatrixProducts();

  @ParameterizedTest
  @CsvSource({
    "1,1,1",
    "1,1,5",
    "1,3,1",
    "2,2,2",
    "3,33,7",
    "5,17,65",
    "7,4,8",
    "65,31,33",
    "66,64,96",
    "1,192,1000",
    "129,3,2",
    "4,5,769",
    "3,12,1537",
    "2,1023,9",
    "2,1025,9",
    "3,2500,5"
  })
  void linearEqualsTheReference(int rows, int inputs, int outputs) {
    Random random = new Random(rows * 31L + inputs * 7L + outputs);
    byte[] x = codes(random, rows * inputs);
    byte[] weight = codes(random, outputs * inputs);
    int[] bias = random.ints(outputs, -(1 << 20), 1 << 20).toArray();
    for (int threads : new int[] {1, 3}) {
      try (WorkerPool pool = new WorkerPool(threads)) {
        assertThat(
                new PortableMatrixProducts(pool)
                    .linear(x, rows, weight, bias, inputs, OutlierChannels.NONE))
            .isEqualTo(reference.linear(x, rows, weight, bias, inputs, OutlierChannels.NONE));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 1024, 1025, 4100})
  void linearIsExactAtTheExtremes(int inputs) {
    byte[][] extremes = {{-128, -128}, {-128, 127}, {127, -128}, {127, 127}};
    for (byte[] extreme : extremes) {
      byte[] x = new byte[inputs];
      byte[] weight = new byte[2 * inputs];
      Arrays.fill(x, extreme[0]);
      Arrays.fill(weight, 0, inputs, extreme[1]);
      weight[2 * inputs - 1] = 1;
      int[] acc = new int[2];
      new IntGemm(weight, 2, inputs, OutlierChannels.NONE).multiply(x, 0, 1, null, acc, 0);
      assertThat(acc).containsExactly(inputs * extreme[0] * extreme[1], extreme[0]);
    }
  }

  @Test
  void linearIsExactWithAlternatingSignsAndOddSums() {
    int inputs = 3000;
    byte[] x = new byte[inputs];
    byte[] weight = new byte[inputs];
    int expected = 0;
    for (int k = 0; k < inputs; k++) {
      x[k] = (byte) (k < inputs / 2 ? -127 : 127);
      weight[k] = (byte) (k % 97 == 0 ? 1 : -127);
      expected += x[k] * weight[k];
    }
    int[] acc = new int[1];
    new IntGemm(weight, 1, inputs, OutlierChannels.NONE).multiply(x, 0, 1, new int[] {5}, acc, 0);
    assertThat(acc[0]).isEqualTo(expected + 5);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5, 64, 130, 1500})
  void outlierChannelsAreShifted(int inputs) {
    Random random = new Random(inputs);
    int outputs = 11;
    int rows = 5;
    byte[] x = codes(random, rows * inputs);
    byte[] weight = codes(random, outputs * inputs);
    int[] bias = new int[outputs];
    int[][] sets = {
      {0},
      {inputs - 1},
      inputs < 5 ? new int[] {0} : new int[] {1, 2, 4},
      range(Math.min(16, inputs))
    };
    for (int[] set : sets) {
      OutlierChannels outliers = new OutlierChannels(set, 5);
      assertThat(new PortableMatrixProducts().linear(x, rows, weight, bias, inputs, outliers))
          .isEqualTo(reference.linear(x, rows, weight, bias, inputs, outliers));
    }
  }

  @Test
  void multipliesFromAndToOffsets() {
    byte[] x = codes(new Random(1), 3 + 2 * 5);
    byte[] weight = codes(new Random(2), 4 * 5);
    int[] acc = new int[2 + 2 * 4];
    new IntGemm(weight, 4, 5, OutlierChannels.NONE).multiply(x, 3, 2, null, acc, 2);
    int[] expected =
        reference.linear(
            Arrays.copyOfRange(x, 3, 13), 2, weight, new int[4], 5, OutlierChannels.NONE);
    assertThat(Arrays.copyOfRange(acc, 2, 10)).isEqualTo(expected);
    assertThat(acc).startsWith(0, 0);
  }

  @Test
  void refusesAWeightOfAnotherSize() {
    assertThatThrownBy(() -> new IntGemm(new byte[7], 2, 4, OutlierChannels.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weight: 7 codes, expected 2 x 4");
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1,1",
    "1,2,3,5",
    "2,17,2,8",
    "3,5,1,33",
    "1,65,3,64",
    "1,3,1,1030",
    "1,2,2,2050"
  })
  void scoresEqualTheReference(int pictures, int tokens, int heads, int headDim) {
    byte[] qkv = codes(new Random(tokens), pictures * tokens * 3 * heads * headDim);
    assertThat(new PortableMatrixProducts().scores(qkv, pictures, tokens, heads, headDim))
        .isEqualTo(reference.scores(qkv, pictures, tokens, heads, headDim));
    Arrays.fill(qkv, (byte) -128);
    assertThat(new PortableMatrixProducts().scores(qkv, pictures, tokens, heads, headDim))
        .containsOnly(128 * 128 * headDim);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1,1", "1,2,3,5", "2,17,2,8", "3,5,1,33", "1,65,3,64", "1,257,1,3"})
  void contextEqualsTheReference(int pictures, int tokens, int heads, int headDim) {
    Random random = new Random(tokens);
    byte[] qkv = codes(random, pictures * tokens * 3 * heads * headDim);
    short[] small = new short[pictures * heads * tokens * tokens];
    short[] large = new short[small.length];
    short[] oneHot = new short[small.length];
    for (int i = 0; i < small.length; i++) {
      small[i] = (short) random.nextInt(Math.max(1, 32768 / tokens));
      large[i] = (short) random.nextInt(32768);
      oneHot[i] = (short) (i % tokens == i / tokens % tokens ? 32767 : 0);
    }
    for (short[] probabilities : new short[][] {small, large, oneHot}) {
      assertThat(
              new PortableMatrixProducts()
                  .context(probabilities, qkv, pictures, tokens, heads, headDim))
          .isEqualTo(reference.context(probabilities, qkv, pictures, tokens, heads, headDim));
    }
  }

  private static byte[] codes(Random random, int n) {
    byte[] codes = new byte[n];
    random.nextBytes(codes);
    return codes;
  }

  private static int[] range(int n) {
    int[] range = new int[n];
    Arrays.setAll(range, i -> i);
    return range;
  }
}
