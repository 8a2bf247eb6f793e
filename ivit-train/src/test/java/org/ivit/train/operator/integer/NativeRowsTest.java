package org.ivit.train.operator.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.assertj.core.data.Offset;
import org.ivit.core.Size;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MlpForm;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Rotation;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.OpenBlasGemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.operator.floating.FloatNorm;
import org.ivit.train.operator.floating.SigmoidGate;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every set of kernels gives the codes and ranges of the portable Java, and its numbers. */
class NativeRowsTest {
  private static final int[] CHANNELS = {1, 2, 15, 16, 17, 33, 192, 1025};

  /**
   * None, small ones, some beside which squares of codes vanish, the ends of what a double holds.
   */
  private static final long[] EPSILONS = {
    0, 1, 12_345, 987_654_321_987L, (1L << 53) + 1, (1L << 60) - 1, 1L << 60
  };

  private final String before = NativeRows.chosen();
  private final Random random = new Random(11);

  @AfterEach
  void restore() {
    NativeRows.use(before);
  }

  private static void on(String kernels) {
    assumeTrue(NativeRows.use(kernels), kernels + " does not run here");
  }

  private static Buffers buffers() {
    return new Buffers(RealType.FLOAT32);
  }

  private Reals reals(int n, double spread) {
    Reals reals = Reals.allocate(RealType.FLOAT32, n);
    for (int i = 0; i < n; i++) {
      reals.put(i, spread * random.nextGaussian());
    }
    return reals;
  }

  private static Reals copy(Reals x) {
    Reals copy = Reals.allocate(RealType.FLOAT32, x.size());
    copy.put(0, x, 0, x.size());
    return copy;
  }

  private short[] codes16(int n) {
    short[] codes = new short[n];
    int kind = random.nextInt(4);
    for (int i = 0; i < n; i++) {
      codes[i] =
          (short)
              (kind == 0
                  ? Short.MIN_VALUE
                  : kind == 1 ? random.nextInt(3) : random.nextInt(1 << 16) - (1 << 15));
    }
    return codes;
  }

  private byte[] codes8(int n) {
    byte[] codes = new byte[n];
    random.nextBytes(codes);
    return codes;
  }

  /** The same in Java and in the kernels. */
  private static void same(String kernels, Supplier<Object> body) {
    NativeRows.use("java");
    Object expected = body.get();
    on(kernels);
    assertThat(body.get()).isEqualTo(expected);
  }

  /** Equal to a few roundings of the largest. */
  private static void near(String kernels, double tolerance, Supplier<Reals> body) {
    NativeRows.use("java");
    float[] expected = body.get().floats();
    on(kernels);
    float[] found = body.get().floats();
    double most = 1e-30;
    for (float value : expected) {
      most = Math.max(most, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) found[i])
          .as("number %d of %d", i, expected.length)
          .isCloseTo(expected[i], Offset.offset(tolerance * most));
    }
  }

  private static SortedMap<String, Range> ranges(SeenRanges seen) {
    SortedMap<String, Range> ranges = new TreeMap<>();
    seen.addTo(ranges);
    return ranges;
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void codesAndNumbers(String kernels) {
    for (int n : new int[] {1, 7, 16, 1000, 1025}) {
      float scale = 0.0037f;
      Reals x = Reals.allocate(RealType.FLOAT32, n + 3);
      short[] codes = codes16(n);
      same(
          kernels,
          () -> {
            Codes.dequantize(codes, n, scale, x, 3, buffers());
            short[] back = new short[n];
            Codes.recover(x, 3, scale, back, n, buffers());
            assertThat(back).isEqualTo(codes);
            return x.floats();
          });
      byte[] narrow = codes8(5 * n);
      OutlierChannels apart = new OutlierChannels(new int[] {0, n - 1 == 0 ? 1 : n - 1}, 4);
      if (n > 1) {
        Reals y = Reals.allocate(RealType.FLOAT32, 5 * n);
        same(
            kernels,
            () -> {
              Codes.widen(narrow, 5, n, apart, y);
              return y.floats();
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void normsOfCodes(String kernels) {
    for (int channels : CHANNELS) {
      int rows = 3;
      ParameterLayout layout = new ParameterLayout();
      layout
          .add("n.weight", ParameterKind.NORM_WEIGHT, channels)
          .add("n.bias", ParameterKind.NORM_BIAS, channels);
      Reals weights = reals(layout.size(), 1);
      QuantNorm norm = new QuantNorm("", layout, new Node("n", NodeKind.NORM), channels);
      OutlierChannels apart =
          channels > 2 ? new OutlierChannels(new int[] {1}, 3) : OutlierChannels.NONE;
      float[] gamma = new float[channels];
      float[] beta = new float[channels];
      weights.get(layout.from("n.weight"), gamma, 0, channels);
      weights.get(layout.from("n.bias"), beta, 0, channels);
      for (long epsilon : EPSILONS) {
        norm.prepare(LayerNorm.of("n", gamma, beta, epsilon, 0.02f, apart), weights, 0.001f);
        short[] x = codes16(rows * channels);
        same(
            kernels,
            () -> {
              byte[] out = new byte[rows * channels];
              short[] wide = new short[rows * channels];
              SeenRanges seen = new SeenRanges();
              norm.forward(x, out, rows, seen, buffers());
              norm.forward(x, wide, rows, null, buffers());
              return Map.of(
                  "codes", Arrays.toString(out),
                  "wide", Arrays.toString(wide),
                  "seen", ranges(seen));
            });
        Reals gy = reals(rows * channels, 1);
        Reals gx = reals(rows * channels, 1);
        near(
            kernels,
            1e-6,
            () -> {
              Reals sum = copy(gx);
              norm.backward(
                  x,
                  gy,
                  sum,
                  0,
                  channels,
                  Reals.allocate(RealType.FLOAT32, layout.size()),
                  rows,
                  buffers());
              return sum;
            });
        near(
            kernels,
            1e-6,
            () -> {
              Reals gradients = Reals.allocate(RealType.FLOAT32, layout.size());
              norm.backward(x, gy, copy(gx), 0, channels, gradients, rows, buffers());
              return gradients;
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void norms(String kernels) {
    for (int channels : CHANNELS) {
      int rows = 3;
      int stride = channels + 2;
      Reals x = reals(rows * stride, 2);
      ParameterLayout layout =
          new ParameterLayout()
              .add("norm.weight", ParameterKind.NORM_WEIGHT, channels)
              .add("norm.bias", ParameterKind.NORM_BIAS, channels);
      FloatNorm norm = new FloatNorm(layout, "norm", channels, 1e-6);
      Reals weights = Reals.of(RealType.FLOAT32, random.doubles(2L * channels, -1, 1).toArray());
      near(
          kernels,
          1e-6,
          () -> {
            Reals y = Reals.allocate(RealType.FLOAT32, rows * channels);
            norm.forward(weights, x, 1, stride, y, rows, buffers());
            return y;
          });
      Reals gy = reals(rows * channels, 1);
      Reals gx = reals(rows * stride, 1);
      near(
          kernels,
          2e-6,
          () -> {
            Reals sum = copy(gx);
            Reals gradients = Reals.allocate(RealType.FLOAT32, layout.size());
            norm.backward(weights, x, 1, stride, gy, sum, 1, gradients, rows, buffers());
            return sum;
          });
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void gelus(String kernels) {
    Reals x = reals(3001, 3);
    x.put(0, 0);
    x.put(1, 40);
    x.put(2, -40);
    x.put(3, -5.5);
    near(
        kernels,
        1e-7,
        () -> {
          Reals y = Reals.allocate(RealType.FLOAT32, x.size());
          FloatKernels.gelu(x, y, x.size(), buffers());
          return y;
        });
    Reals g = reals(3001, 1);
    near(
        kernels,
        1e-7,
        () -> {
          Reals y = copy(g);
          FloatKernels.geluBackward(x, y, x.size(), buffers());
          return y;
        });
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void sigmoidGates(String kernels) {
    for (SigmoidGate gate :
        List.of(
            SigmoidGate.of(Activation.QUICK_GELU),
            SigmoidGate.of(Activation.GELU_TANH),
            SigmoidGate.SILU)) {
      Reals x = reals(3001, 3);
      x.put(0, 0);
      x.put(1, 1e30);
      x.put(2, -1e30);
      x.put(3, -40);
      x.put(4, 3);
      near(
          kernels,
          1e-7,
          () -> {
            Reals y = Reals.allocate(RealType.FLOAT32, x.size());
            gate.forward(x, y, x.size(), buffers());
            y.put(1, y.get(1) / 1e30);
            return y;
          });
      Reals g = reals(3001, 1);
      near(
          kernels,
          1e-7,
          () -> {
            Reals y = copy(g);
            gate.backward(x, y, x.size(), buffers());
            return y;
          });
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void gatesOfCodes(String kernels) {
    for (int channels : CHANNELS) {
      int rows = 3;
      int size = rows * channels;
      OutlierChannels apart =
          channels > 2 ? new OutlierChannels(new int[] {1}, 3) : OutlierChannels.NONE;
      byte[] gates = codes8(size);
      byte[] values = codes8(size);
      Reals g = reals(size, 1);
      for (MlpForm form : new MlpForm[] {MlpForm.SWIGLU, MlpForm.SWIGLU_NORM}) {
        Block block = new Block("b", 4, 1, channels, 2, null, null, null, form, 0);
        QuantGating gating = new QuantGating();
        OutlierChannels outliers = form == MlpForm.SWIGLU ? apart : OutlierChannels.NONE;
        gating.prepare(Gating.of(block, 0.03f, 0.02f, 0.01f, outliers), 0.03f, 0.02f);
        same(
            kernels,
            () -> {
              byte[] out = new byte[size];
              short[] wide = new short[size];
              SeenRanges seen = new SeenRanges();
              gating.forward(gates, values, out, rows, seen, buffers());
              gating.forward(gates, values, wide, rows, null, buffers());
              return List.of(Arrays.toString(out), Arrays.toString(wide), ranges(seen));
            });
        Reals byGate = Reals.allocate(RealType.FLOAT32, size);
        near(
            kernels,
            1e-6,
            () -> {
              Reals byValue = copy(g);
              gating.backward(gates, values, byValue, byGate, rows, buffers());
              return byValue;
            });
        near(
            kernels,
            1e-6,
            () -> {
              gating.backward(gates, values, copy(g), byGate, rows, buffers());
              return byGate;
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void rotaryPositions(String kernels) {
    int pictures = 2;
    int heads = 3;
    for (Rotary.Kind kind : Rotary.Kind.values()) {
      for (int headDim : new int[] {4, 8, 16, 20, 64, 1028}) {
        Rotary rotary = new Rotary(kind, new Size(2, 3), 2, null);
        int dim = heads * headDim;
        Block block = new Block("b", dim, heads, 4, rotary.tokens(), null, rotary, null, null, 0);
        int size = pictures * block.tokens() * 3 * dim;
        QuantRotation rotation = new QuantRotation(block);
        rotation.prepare(Rotation.of(block, 0.0001f, 0.03f), 0.0001f);
        short[] codes = codes16(size);
        same(
            kernels,
            () -> {
              byte[] out = new byte[size];
              SeenRanges seen = new SeenRanges();
              rotation.forward(codes, out, pictures, seen, buffers());
              return List.of(Arrays.toString(out), ranges(seen));
            });
        Reals x = reals(size, 1);
        same(
            kernels,
            () -> {
              Reals turned = copy(x);
              rotation.backward(turned, pictures, buffers());
              return turned.floats();
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void productsOfNumbers(String kernels) {
    Reals x = reals(1025, 1);
    Reals z = reals(1025, 1);
    same(
        kernels,
        () -> {
          Reals product = copy(x);
          FloatKernels.multiply(product, z, x.size(), buffers());
          return product.floats();
        });
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void gelusOfCodes(String kernels) {
    for (GeluForm form : new GeluForm[] {GeluForm.EXACT, GeluForm.ASYMMETRIC, GeluForm.ELEMENT}) {
      for (int channels : CHANNELS) {
        OutlierChannels apart =
            form.isErf() && channels > 2
                ? new OutlierChannels(new int[] {0, channels - 1}, 2)
                : OutlierChannels.NONE;
        QuantGelu gelu = new QuantGelu("g", channels, Activation.QUICK_GELU);
        byte[] x = codes8(2 * channels);
        near(
            kernels,
            1e-7,
            () -> {
              gelu.prepare(
                  Gelu.of("g", form, Activation.GELU, 0.03f, apart, 0.02f, apart),
                  form,
                  0.03f,
                  apart,
                  RealType.FLOAT32);
              Reals g = Reals.allocate(RealType.FLOAT32, x.length);
              for (int i = 0; i < x.length; i++) {
                g.put(i, 1 + i % 7);
              }
              gelu.backward(x, g, 2, buffers());
              Reals codes = Reals.allocate(RealType.FLOAT32, x.length);
              Codes.widen(x, 2, channels, apart, codes);
              gelu.addOffset(codes, 2, buffers());
              g.put(0, g.get(0) + codes.get(codes.size() - 1));
              return g;
            });
        same(
            kernels,
            () -> {
              gelu.prepare(
                  Gelu.of("g", form, Activation.GELU, 0.03f, apart, 0.02f, apart),
                  form,
                  0.03f,
                  apart,
                  RealType.FLOAT32);
              byte[] out = new byte[x.length];
              SeenRanges seen = new SeenRanges();
              gelu.forward(x, out, 2, seen);
              return Map.of("codes", Arrays.toString(out), "seen", ranges(seen));
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void residuals(String kernels) {
    for (int n : new int[] {1, 5, 16, 31, 32, 1000}) {
      short[] branch = codes16(n + 2);
      short[] identity = codes16(n + 2);
      for (double factor : new double[] {0, 1}) {
        same(
            kernels,
            () -> {
              QuantResidual residual = new QuantResidual("r", DropPath.NONE);
              residual.prepare(0.001f, 0.002f, 0.0015f, RealType.FLOAT32);
              short[] out = new short[n + 2];
              SeenRanges seen = new SeenRanges();
              residual.forward(branch, identity, out, 1, n, factor, seen);
              return Map.of("codes", Arrays.toString(out), "seen", ranges(seen));
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void attentions(String kernels) {
    for (SoftmaxForm form : SoftmaxForm.values()) {
      for (int tokens : new int[] {1, 2, 17, 50, 197}) {
        Block site = new Block("b", 6, 2, 4, tokens, null, 1e-6);
        Scheme scheme =
            new Scheme(
                GeluForm.EXACT, form, form == SoftmaxForm.DEFERRED ? 8 : 16, new TreeMap<>());
        Attention node = Attention.of(site, scheme, 0.02f, 0.02f, null, 0.02f);
        byte[] qkv = codes8(tokens * 18);
        same(
            kernels,
            () -> {
              QuantAttention attention = new QuantAttention(site, null);
              attention.prepare(node, 0.02f);
              Reals x = Reals.allocate(RealType.FLOAT32, qkv.length);
              x.put(0, qkv, 0, qkv.length);
              Reals p = Reals.allocate(RealType.FLOAT32, attention.probabilities());
              byte[] out = new byte[tokens * 6];
              SeenRanges seen = new SeenRanges();
              attention.forward(new OpenBlasGemm(), x, 0, p, 0, out, 0, 0, seen, buffers());
              return Map.of(
                  "codes", Arrays.toString(out),
                  "p", Arrays.toString(p.floats()),
                  "seen", ranges(seen));
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void softmaxes(String kernels) {
    for (int n : new int[] {1, 2, 15, 16, 17, 197}) {
      Reals x = reals(3 * n, 4);
      Reals g = reals(3 * n, 1);
      near(
          kernels,
          1e-7,
          () -> {
            Reals p = copy(x);
            FloatKernels.softmax(p, 0, 3, n, new double[n]);
            return p;
          });
      near(
          kernels,
          1e-6,
          () -> {
            Reals p = copy(x);
            FloatKernels.softmax(p, 0, 3, n, new double[n]);
            Reals out = copy(g);
            FloatKernels.softmaxBackward(p, 0, 0.5, out, 3, n, new double[n], new double[n]);
            return out;
          });
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void sums(String kernels) {
    for (int channels : CHANNELS) {
      Reals g = reals(5 * channels, 1);
      near(
          kernels,
          1e-6,
          () -> {
            Reals sums = Reals.allocate(RealType.FLOAT32, channels);
            FloatKernels.addColumnSums(g, 0, 5, channels, sums, 0, buffers());
            FloatKernels.addScaled(g, channels, sums, 0, 0.3, sums, 0, channels, buffers());
            FloatKernels.scale(sums, 0, 1.7, sums, 0, channels, buffers());
            return sums;
          });
      near(
          kernels,
          0,
          () -> {
            Reals y = Reals.allocate(RealType.FLOAT32, 5 * channels);
            FloatKernels.fillBias(g, channels, y, 0, 5, channels);
            return y;
          });
    }
    NativeRows.use("java");
    Reals vector = reals(10_001, 1);
    try (WorkerPool pool = new WorkerPool(2)) {
      double expected = new Execution(pool, RealType.FLOAT32).norm(vector);
      on(kernels);
      assertThat(new Execution(pool, RealType.FLOAT32).norm(vector))
          .isCloseTo(expected, Offset.offset(1e-9 * expected));
    }
  }

  /** Codes of a linear layer: float product in Java, byte product in the kernels. */
  @ParameterizedTest
  @MethodSource("org.ivit.train.memory.NativeRows#sets")
  void linears(String kernels) {
    for (int inputs : new int[] {1, 3, 4, 5, 63, 64, 65, 200, 1100}) {
      for (int outputs : new int[] {1, 31, 32, 33, 70}) {
        for (int rows : new int[] {1, 11, 12, 13, 30}) {
          linear(kernels, inputs, outputs, rows);
        }
      }
    }
  }

  private void linear(String kernels, int inputs, int outputs, int rows) {
    ParameterLayout layout = new ParameterLayout();
    layout
        .add("l.weight", ParameterKind.WEIGHT, outputs, inputs)
        .add("l.bias", ParameterKind.BIAS, outputs);
    Reals weights = reals(layout.size(), 1);
    OutlierChannels apart =
        inputs > 3 ? new OutlierChannels(new int[] {0, inputs - 1}, 3) : OutlierChannels.NONE;
    NodeBuilder nodes = new NodeBuilder(ParameterView.of(layout, "", weights), Scheme.EXACT);
    LinearSpec layer =
        new LinearSpec("l", new Node("l", NodeKind.QKV), Node.INPUT, inputs, outputs, true);
    byte[] x = codes8(rows * inputs);
    same(
        kernels,
        () -> {
          QuantLinear linear = QuantLinear.ofCodes("", layout, layer);
          linear.prepare(
              Linear.of("l", linear.quantize(nodes, 0.01f), apart, 0.1f, OutlierChannels.NONE, 8),
              RealType.FLOAT32);
          Reals numbers = Reals.allocate(RealType.FLOAT32, x.length);
          Codes.widen(x, rows, inputs, apart, numbers);
          byte[] narrow = new byte[rows * outputs];
          short[] wide = new short[rows * outputs];
          SeenRanges seen = new SeenRanges();
          OpenBlasGemm gemm = new OpenBlasGemm();
          linear.forward(gemm, numbers, x, narrow, rows, OutlierChannels.NONE, seen, buffers());
          linear.forward(gemm, numbers, x, wide, rows, OutlierChannels.NONE, null, buffers());
          return Map.of(
              "8", Arrays.toString(narrow),
              "16", Arrays.toString(wide),
              "seen", ranges(seen));
        });
  }

  @Test
  void memoryIsChecked() {
    Reals x = reals(10, 1);
    assertThatThrownBy(() -> NativeRows.address(x, 8, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> NativeRows.address(x, 0, 2, 8, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(NativeRows.use("sse9")).isFalse();
  }
}
