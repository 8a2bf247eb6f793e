package org.ivit.train.operator.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeMap;
import org.assertj.core.data.Offset;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.NodeKernels;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.graph.Attention;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.OpenBlasGemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Softmax in form deferred: codes of the reference, gradients of the function in float64. */
class DeferredAttentionTest {
  private static final Scheme SCHEME =
      new Scheme(GeluForm.EXACT, SoftmaxForm.DEFERRED, 8, new TreeMap<>());
  private static final float QKV_SCALE = 0.02f;

  private final Random random = new Random(6);

  private static Block site(int tokens, int heads, int headDim) {
    return new Block("blocks.0", heads * headDim, heads, 4, tokens, null, 1e-6);
  }

  private static Attention node(Block site) {
    return Attention.of(site, SCHEME, QKV_SCALE, 0.01f, null, 0.01f);
  }

  /** Over 512 tokens a sum passes 2^24; flat rows of extremes come nearest to the bound. */
  @ParameterizedTest
  @CsvSource({"1,1,1", "2,3,5", "197,3,4", "512,1,2", "513,1,2", "1100,2,1"})
  void codesAreTheReferences(int tokens, int heads, int headDim) {
    Block site = site(tokens, heads, headDim);
    for (int fill = 0; fill < 3; fill++) {
      byte[] qkv = new byte[tokens * 3 * site.dim()];
      random.nextBytes(qkv);
      for (int i = 0; i < qkv.length && fill > 0; i++) {
        boolean value = i % (3 * site.dim()) >= 2 * site.dim();
        qkv[i] = (byte) (value ? (fill == 1 ? -128 : 127) : 0);
      }
      QuantAttention attention = new QuantAttention(site, null);
      attention.prepare(node(site), QKV_SCALE);
      byte[] codes = new byte[tokens * site.dim()];
      Reals p = Reals.allocate(RealType.FLOAT32, attention.probabilities());
      attention.forward(
          new OpenBlasGemm(),
          reals(RealType.FLOAT32, qkv),
          0,
          p,
          0,
          codes,
          0,
          0,
          null,
          new Buffers(RealType.FLOAT32));
      assertThat(codes).isEqualTo(reference(site, qkv));
    }
  }

  private static byte[] reference(Block site, byte[] qkv) {
    Attention node = node(site);
    ReferenceMatrixProducts products = new ReferenceMatrixProducts();
    int tokens = site.tokens();
    byte[] scores =
        NodeKernels.scores(
            node.scores(), products.scores(qkv, 1, tokens, site.heads(), site.headDim()));
    short[] p = NodeKernels.softmax(node.softmax(), scores, site);
    int[] acc = products.context(p, qkv, 1, tokens, site.heads(), site.headDim());
    return NodeKernels.context(node, NodeKernels.normalise(node, acc, p, tokens));
  }

  private static Reals reals(RealType type, byte[] codes) {
    Reals reals = Reals.allocate(type, codes.length);
    reals.put(0, codes, 0, codes.length);
    return reals;
  }

  @ParameterizedTest
  @CsvSource({"1,1", "2,5", "30,8"})
  void gradientsAreThoseOfTheDequantizedValues(int tokens, int headDim) {
    Block site = site(tokens, 1, headDim);
    byte[] qkv = new byte[tokens * 3 * headDim];
    random.nextBytes(qkv);
    QuantAttention attention = new QuantAttention(site, null);
    attention.prepare(node(site), QKV_SCALE);
    Buffers buffers = new Buffers(RealType.FLOAT64);
    Reals codes = reals(RealType.FLOAT64, qkv);
    Reals p = Reals.allocate(RealType.FLOAT64, tokens * tokens);
    attention.forward(
        new OpenBlasGemm(), codes, 0, p, 0, new byte[tokens * headDim], 0, 0, null, buffers);
    double[][] probabilities = new double[tokens][tokens];
    for (int q = 0; q < tokens; q++) {
      p.get(q * tokens, probabilities[q], 0, tokens);
      double sum = 0;
      for (double e : probabilities[q]) {
        sum += e;
      }
      for (int k = 0; k < tokens; k++) {
        probabilities[q][k] /= sum;
      }
    }
    double[] g = random.doubles((long) tokens * headDim, -1, 1).toArray();
    Reals gradient = Reals.allocate(RealType.FLOAT64, g.length);
    gradient.put(0, g, 0, g.length);
    Reals found = Reals.allocate(RealType.FLOAT64, qkv.length);
    attention.backward(new OpenBlasGemm(), codes, 0, p, 0, gradient, 0, found, 0, buffers);
    double[] result = new double[qkv.length];
    found.get(0, result, 0, result.length);
    assertThat(result)
        .containsExactly(expected(tokens, headDim, qkv, probabilities, g), Offset.offset(1e-9));
  }

  /** gV = Pᵀg, gS = P⊙(gVᵀ − Σ gVᵀ⊙P), gQ = gS·K/√d, gK = gSᵀ·Q/√d. */
  private static double[] expected(int tokens, int d, byte[] qkv, double[][] p, double[] g) {
    double[] out = new double[qkv.length];
    double scale = QKV_SCALE / Math.sqrt(d);
    for (int q = 0; q < tokens; q++) {
      double[] gp = new double[tokens];
      double mean = 0;
      for (int k = 0; k < tokens; k++) {
        for (int c = 0; c < d; c++) {
          gp[k] += g[q * d + c] * qkv[(3 * k + 2) * d + c] * (double) QKV_SCALE;
          out[(3 * k + 2) * d + c] += p[q][k] * g[q * d + c];
        }
        mean += gp[k] * p[q][k];
      }
      for (int k = 0; k < tokens; k++) {
        double gs = p[q][k] * (gp[k] - mean);
        for (int c = 0; c < d; c++) {
          out[3 * q * d + c] += gs * scale * qkv[(3 * k + 1) * d + c];
          out[(3 * k + 1) * d + c] += gs * scale * qkv[3 * q * d + c];
        }
      }
    }
    return out;
  }
}
