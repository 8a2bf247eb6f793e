package org.ivit.train.operator.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeMap;
import org.assertj.core.data.Offset;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.floating.FloatNorm;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Straight-through gradients of single nodes beside those of the functions that they stand for. */
class FamilyGradientsTest {
  private final Random random = new Random(3);

  private Reals normal(RealType type, int n) {
    Reals reals = Reals.allocate(type, n);
    for (int i = 0; i < n; i++) {
      reals.put(i, random.nextGaussian());
    }
    return reals;
  }

  /** With variances of a hundredth of epsilon to a hundred of it. */
  @ParameterizedTest
  @EnumSource(RealType.class)
  void normsWithEpsilonHaveTheGradientsOfTheFloatNorm(RealType type) {
    int rows = 12;
    int channels = 64;
    float scale = 0.001f;
    double epsilon = 0.04;
    ParameterLayout layout =
        new ParameterLayout()
            .add("n.weight", ParameterKind.NORM_WEIGHT, channels)
            .add("n.bias", ParameterKind.NORM_BIAS, channels);
    Reals weights = normal(type, layout.size());
    float[] gamma = new float[channels];
    float[] beta = new float[channels];
    weights.get(0, gamma, 0, channels);
    weights.get(channels, beta, 0, channels);
    short[] codes = new short[rows * channels];
    Reals x = Reals.allocate(type, codes.length);
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (short) (20 * (1 << (i / channels % 7)) * random.nextGaussian());
      x.put(i, codes[i] * (double) scale);
    }
    Reals gy = normal(type, codes.length);
    Buffers buffers = new Buffers(type);

    QuantNorm norm = new QuantNorm("", layout, new Node("n", NodeKind.NORM), channels);
    long added = ILayerNorm.epsilon("n", epsilon, channels, scale);
    norm.prepare(
        LayerNorm.of("n", gamma, beta, added, 0.02f, OutlierChannels.NONE), weights, scale);
    Reals gx = Reals.allocate(type, codes.length);
    Reals gradients = Reals.allocate(type, layout.size());
    norm.backward(codes, gy, gx, 0, channels, gradients, rows, buffers);

    FloatNorm judge = new FloatNorm(layout, "n", channels, epsilon);
    Reals expected = Reals.allocate(type, codes.length);
    Reals expectedGradients = Reals.allocate(type, layout.size());
    judge.backward(weights, x, 0, channels, gy, expected, 0, expectedGradients, rows, buffers);
    // The mean of the codes is rounded, which counts where they are small.
    assertNear(gx.doubles(), expected.doubles(), 0.02);
    assertNear(gradients.doubles(), expectedGradients.doubles(), 0.02);
  }

  private static void assertNear(double[] found, double[] expected, double tolerance) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i])
          .as("number %d", i)
          .isCloseTo(expected[i], Offset.offset(tolerance * largest));
    }
  }

  private static final int TOKENS = 7;
  private static final int HEADS = 2;
  private static final int DIM = 6;
  private static final float SCORES = 0.02f;
  private static final float VALUES = 0.03f;

  /** The attention of a query to scores and values, times a gradient: what is differentiated. */
  private static double contracted(double[] scores, double[] values, double[] g) {
    double sum = 0;
    for (int head = 0; head < HEADS; head++) {
      double total = 0;
      double[] weighted = new double[DIM / HEADS];
      for (int t = 0; t < TOKENS; t++) {
        double e = Math.exp(scores[t * HEADS + head]);
        total += e;
        for (int c = 0; c < weighted.length; c++) {
          weighted[c] += e * values[t * DIM + head * weighted.length + c];
        }
      }
      for (int c = 0; c < weighted.length; c++) {
        sum += g[head * weighted.length + c] * weighted[c] / total;
      }
    }
    return sum;
  }

  private static double[] differences(
      double[] of, java.util.function.ToDoubleFunction<double[]> f) {
    double[] found = new double[of.length];
    double step = 1e-5;
    for (int i = 0; i < of.length; i++) {
      double[] moved = of.clone();
      moved[i] += step;
      double above = f.applyAsDouble(moved);
      moved[i] -= 2 * step;
      found[i] = (above - f.applyAsDouble(moved)) / (2 * step);
    }
    return found;
  }

  @ParameterizedTest
  @CsvSource({"EXACT, 16, 0.001", "EXACT, 8, 0.05", "DEFERRED, 8, 0.02"})
  void theAttentionOfAQueryHasTheGradientsOfSoftmax(SoftmaxForm form, int bits, double tolerance) {
    AttentionPooling part = new AttentionPooling(TOKENS, DIM, HEADS, 4, null, 1e-6);
    Scheme scheme = new Scheme(GeluForm.EXACT, form, bits, new TreeMap<>());
    QuantQueryAttention attention = new QuantQueryAttention(part);
    attention.prepare(QueryAttention.of(part, scheme, SCORES, VALUES, 0.03f), VALUES);
    int pictures = 3;
    byte[] scores = new byte[pictures * TOKENS * HEADS];
    byte[] values = new byte[pictures * TOKENS * DIM];
    random.nextBytes(scores);
    random.nextBytes(values);
    Buffers buffers = new Buffers(RealType.FLOAT64);
    Reals p = Reals.allocate(RealType.FLOAT64, pictures * attention.probabilities());
    attention.forward(scores, values, p, new byte[pictures * DIM], pictures, null, buffers);
    Reals numbers = Reals.allocate(RealType.FLOAT64, values.length);
    numbers.put(0, values, 0, values.length);
    Reals gContext = normal(RealType.FLOAT64, pictures * DIM);
    Reals gScores = Reals.allocate(RealType.FLOAT64, scores.length);
    Reals gValues = Reals.allocate(RealType.FLOAT64, values.length);
    attention.backward(p, numbers, gContext, gScores, gValues, pictures, buffers);
    for (int i = 0; i < pictures; i++) {
      double[] s = real(scores, i * TOKENS * HEADS, TOKENS * HEADS, SCORES);
      double[] v = real(values, i * TOKENS * DIM, TOKENS * DIM, VALUES);
      double[] g = new double[DIM];
      gContext.get(i * DIM, g, 0, DIM);
      double[] foundScores = new double[s.length];
      gScores.get(i * s.length, foundScores, 0, s.length);
      assertNear(foundScores, differences(s, moved -> contracted(moved, v, g)), tolerance);
      double[] foundValues = new double[v.length];
      gValues.get(i * v.length, foundValues, 0, v.length);
      assertNear(foundValues, differences(v, moved -> contracted(s, moved, g)), tolerance);
    }
  }

  private static double[] real(byte[] codes, int from, int n, float scale) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = codes[from + i] * (double) scale;
    }
    return values;
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void slopesAreThoseOfTheirFunction(Activation function) {
    float scale = 0.05f;
    double[] slopes = GeluCurve.slopes(GeluForm.EXACT, function, scale);
    double[] codes = new double[256];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (i - 128) * (double) scale;
    }
    for (int i = 0; i < codes.length; i++) {
      double x = codes[i];
      double expected = (function.value(x + 1e-5) - function.value(x - 1e-5)) / 2e-5;
      assertThat(slopes[i]).isCloseTo(expected, Offset.offset(1e-8));
      assertThat(GeluCurve.values(GeluForm.ASYMMETRIC, function, scale)[i])
          .isEqualTo(function.value(x));
    }
  }
}
