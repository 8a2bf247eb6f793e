package org.ivit.train.operator.integer;

import java.util.Arrays;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.arithmetic.AttentionScales;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.QueryAttention;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.ChannelRuns;
import org.ivit.train.operator.SeenRanges;

/**
 * Attention of the one query of a pooling in the quantized network: codes of scores and values to
 * codes of the context, a picture at a time.
 */
final class QuantQueryAttention {
  private final String name;
  private final int tokens;
  private final int dim;
  private final int heads;
  private final int headDim;
  private QueryAttention node;
  private double valuesScale;

  QuantQueryAttention(AttentionPooling part) {
    this.name = part.context().name();
    this.tokens = part.tokens();
    this.dim = part.dim();
    this.heads = part.heads();
    this.headDim = part.headDim();
  }

  /** Takes the node of this pass, and the scale of the values. */
  void prepare(QueryAttention built, float scale) {
    node = built;
    valuesScale = scale;
  }

  /** Numbers that the probabilities of a picture take. */
  int probabilities() {
    return heads * tokens;
  }

  /**
   * @param scores 8-bit codes, [pictures][tokens][heads]
   * @param values 8-bit codes, [pictures][tokens][dim]
   * @param p receives what the probabilities are worth, [pictures][heads][tokens]
   * @param context receives 8-bit codes, [pictures][dim]
   * @param seen receives the values, or null
   */
  void forward(
      byte[] scores,
      byte[] values,
      Reals p,
      byte[] context,
      int pictures,
      SeenRanges seen,
      Buffers scratch) {
    byte[] row = scratch.bytes("query.scores", tokens);
    short[] probabilities = scratch.shorts("query.probabilities", tokens);
    double[] worth = scratch.doubles("query.worth", tokens);
    int[] acc = scratch.ints("query.acc", pictures * dim);
    for (int i = 0; i < pictures; i++) {
      for (int head = 0; head < heads; head++) {
        for (int t = 0; t < tokens; t++) {
          row[t] = scores[(i * tokens + t) * heads + head];
        }
        node.softmax().row(row, 0, tokens, null, 0, probabilities, 0);
        int sum = sum(probabilities);
        for (int t = 0; t < tokens; t++) {
          worth[t] =
              node.softmax().deferred()
                  ? probabilities[t] / (double) sum
                  : Math.scalb((double) probabilities[t], 1 - node.softmax().bits());
        }
        p.put((i * heads + head) * tokens, worth, 0, tokens);
        accumulate(probabilities, sum, values, i, head, acc);
      }
    }
    requantize(acc, context, pictures);
    if (seen != null) {
      observe(acc, pictures, seen);
    }
  }

  private int sum(short[] codes) {
    int sum = 0;
    for (int t = 0; t < tokens; t++) {
      sum += codes[t];
    }
    return sum;
  }

  private void accumulate(
      short[] probabilities, int sum, byte[] values, int picture, int head, int[] acc) {
    int at = picture * dim + head * headDim;
    Arrays.fill(acc, at, at + headDim, 0);
    for (int t = 0; t < tokens; t++) {
      int from = (picture * tokens + t) * dim + head * headDim;
      for (int c = 0; c < headDim; c++) {
        acc[at + c] += probabilities[t] * values[from + c];
      }
    }
    if (node.softmax().deferred()) {
      int factor = SoftmaxTable.factor(sum);
      for (int i = at; i < at + headDim; i++) {
        acc[i] = SoftmaxTable.normalise(acc[i], factor);
      }
    }
  }

  private void requantize(int[] acc, byte[] context, int pictures) {
    for (int i = 0; i < pictures * dim; i++) {
      context[i] = Quantizer.clamp8(node.context().apply(i % dim, acc[i]));
    }
  }

  private void observe(int[] acc, int pictures, SeenRanges seen) {
    ChannelRuns runs = new ChannelRuns(dim, node.contextOutliers());
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    for (int r = 0; r < pictures * dim; r += dim) {
      for (int run = 0; run < runs.count(); run++) {
        for (int i = r + runs.from(run); i < r + runs.to(run); i++) {
          min = Math.min(min, acc[i]);
          max = Math.max(max, acc[i]);
        }
      }
    }
    if (min <= max) {
      double scale = AttentionScales.context((float) valuesScale, node.softmax().contextBits());
      seen.include(name, min * scale, max * scale);
    }
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}).
   *
   * @param p of the forward pass
   * @param values codes as numbers, [pictures][tokens][dim]
   * @param gContext gradient by the context, [pictures][dim]
   * @param gScores receives the gradient by the scores, [pictures][tokens][heads]
   * @param gValues receives the gradient by the values, [pictures][tokens][dim]
   */
  void backward(
      Reals p,
      Reals values,
      Reals gContext,
      Reals gScores,
      Reals gValues,
      int pictures,
      Buffers scratch) {
    double[] g = scratch.doubles("query.context", dim);
    double[] row = scratch.doubles("query.row", dim);
    double[] weights = scratch.doubles("query.p", probabilities());
    double[] byWeight = scratch.doubles("query.gp", probabilities());
    double[] byScore = scratch.doubles("query.gs", heads);
    for (int i = 0; i < pictures; i++) {
      gContext.get(i * dim, g, 0, dim);
      p.get(i * probabilities(), weights, 0, probabilities());
      for (int t = 0; t < tokens; t++) {
        int from = (i * tokens + t) * dim;
        values.get(from, row, 0, dim);
        for (int head = 0; head < heads; head++) {
          double sum = 0;
          double weight = weights[head * tokens + t];
          for (int c = head * headDim; c < (head + 1) * headDim; c++) {
            sum += g[c] * row[c];
            row[c] = g[c] * weight;
          }
          byWeight[head * tokens + t] = sum * valuesScale;
        }
        gValues.put(from, row, 0, dim);
      }
      softmaxBackward(weights, byWeight);
      for (int t = 0; t < tokens; t++) {
        for (int head = 0; head < heads; head++) {
          byScore[head] = byWeight[head * tokens + t];
        }
        gScores.put((i * tokens + t) * heads, byScore, 0, heads);
      }
    }
  }

  /** {@code g ← p ⊙ (g − Σ g⊙p)} on the row of each head. */
  private void softmaxBackward(double[] p, double[] g) {
    for (int from = 0; from < probabilities(); from += tokens) {
      double sum = 0;
      for (int i = from; i < from + tokens; i++) {
        sum += g[i] * p[i];
      }
      for (int i = from; i < from + tokens; i++) {
        g[i] = p[i] * (g[i] - sum);
      }
    }
  }
}
