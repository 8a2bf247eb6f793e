package org.ivit.core.engine.portable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The product of the Vector API beside the loops; the JVM of this test is started with it. */
class VectorProductTest {
  private final ExactProduct loops = ExactProduct.loops();
  private final ExactProduct vectors = ExactProduct.fastest();

  @BeforeEach
  void isThere() {
    assumeThat(ModuleLayer.boot().findModule("jdk.incubator.vector")).isPresent();
    assertThat(vectors.title()).matches("portable Java with vectors of (128|256|512) bits");
  }

  @Test
  void equalsTheLoopsAtEveryWidth() {
    Random random = new Random(1);
    for (int n = 1; n <= 130; n++) {
      check(random, 1 + n % 13, n, 4 * (n % 7), 1 + n % 5, 3);
    }
  }

  @Test
  void equalsTheLoopsAtEveryNumberOfRows() {
    Random random = new Random(2);
    for (int rows = 1; rows <= 130; rows++) {
      check(random, rows, 1 + rows % 70, 8, 0, 0);
    }
  }

  @Test
  void equalsTheLoopsAtEveryLength() {
    Random random = new Random(3);
    for (int length = 0; length <= 1024; length += 4) {
      check(random, 7, 33, length, 2, 1);
    }
  }

  /** Products of two codes at most; factors lie apart and beside others. */
  private void check(Random random, int rows, int n, int length, int from, int gap) {
    int stride = length + gap;
    float[] a = new float[gap + rows * stride];
    for (int i = 0; i < a.length; i++) {
      a[i] = code(random);
    }
    float[][] w = loops.matrix(from + length, n);
    float[][] panels = vectors.matrix(from + length, n);
    for (int k = 0; k < from + length; k++) {
      for (int j = 0; j < n; j++) {
        w[k][j] = code(random);
        if (k % 2 == 0) {
          vectors.set(panels, k, j, w[k][j]);
        }
      }
      if (k % 2 == 1) {
        vectors.setRow(panels, k, w[k], n);
      }
    }
    float[][] expected = new float[rows][loops.width(n)];
    float[][] found = new float[rows][vectors.width(n)];
    for (float[] row : found) {
      Arrays.fill(row, Float.NaN);
    }
    loops.multiply(expected, rows, n, w, from, length, a, gap, stride);
    vectors.multiply(found, rows, n, panels, from, length, a, gap, stride);
    for (int r = 0; r < rows; r++) {
      assertThat(Arrays.copyOf(found[r], n))
          .as("row %d of %d x %d x %d", r, rows, n, length)
          .isEqualTo(Arrays.copyOf(expected[r], n));
    }
  }

  /** A third of them at an extreme. */
  private static float code(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> Byte.MIN_VALUE;
      case 1 -> Byte.MAX_VALUE;
      default -> random.nextInt(256) - 128;
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 1})
  void reachesTheLimitExactly(int sign) {
    int length = ExactProduct.CODES;
    float[] a = new float[6 * length];
    Arrays.fill(a, -128);
    float[][] w = vectors.matrix(length, 1);
    for (int k = 0; k < length; k++) {
      vectors.set(w, k, 0, 128 * sign);
    }
    float[][] c = new float[6][vectors.width(1)];
    vectors.multiply(c, 6, 1, w, 0, length, a, 0, length);
    for (float[] row : c) {
      assertThat(row[0]).isEqualTo(-sign * (float) ExactProduct.LIMIT);
    }
  }

  @SuppressWarnings("unused")
  static final List<String> MODELS = GoldenModel.NAMES;

  @ParameterizedTest
  @FieldSource("MODELS")
  void engineEqualsTheGoldenLogits(String name) {
    GoldenModel model = new GoldenModel(name);
    IntegerGraph graph = model.graph();
    try (WorkerPool pool = new WorkerPool(2);
        PortableEngine engine = new PortableEngine(graph, pool, "test", vectors)) {
      assertThat(engine.logits(model.evalCodes(graph), model.pictures()))
          .isEqualTo(model.file("trace").get("head").ints());
    }
  }

  @Test
  void enginesOnBothGiveTheSameLogits() {
    for (int[] s :
        List.of(new int[] {15, 3, 10, 3, 2, 41, 3}, new int[] {40, 4, 24, 2, 3, 96, 769})) {
      Architecture vit =
          new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6, true).architecture();
      IntegerGraph graph = ObservedModel.graph(vit, Scheme.EXACT, new Random(4));
      byte[] codes = new byte[3 * 3 * s[0] * s[0]];
      new Random(5).nextBytes(codes);
      try (WorkerPool pool = new WorkerPool(2);
          PortableEngine plain = new PortableEngine(graph, pool, "test", loops);
          PortableEngine fast = new PortableEngine(graph, pool, "test", vectors)) {
        assertThat(fast.logits(codes, 3)).isEqualTo(plain.logits(codes, 3));
        assertThat(fast.description()).startsWith("cpu: " + vectors.title() + " on 2 threads");
      }
    }
  }
}
