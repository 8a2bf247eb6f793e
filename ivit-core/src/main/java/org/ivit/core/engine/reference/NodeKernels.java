package org.ivit.core.engine.reference;

import java.util.Arrays;
import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Rotation;

/**
 * What every node does besides its matrix product, one method a node, row-major arrays in and out.
 * The calibration runs the same methods.
 */
public final class NodeKernels {
  private NodeKernels() {}

  /**
   * Cuts pictures into patches.
   *
   * @param codes [pictures][3][height][width]
   * @param pictures number of pictures
   * @param image size of a picture
   * @param patch height and width of a patch
   * @return rows of (channel, row, column), [pictures·patches][3·patch·patch]
   */
  public static byte[] unfold(byte[] codes, int pictures, Size image, int patch) {
    Size grid = image.dividedBy(patch);
    byte[] out = new byte[codes.length];
    int i = 0;
    for (int n = 0; n < pictures; n++) {
      for (int py = 0; py < grid.height(); py++) {
        for (int px = 0; px < grid.width(); px++) {
          for (int c = 0; c < 3; c++) {
            for (int y = 0; y < patch; y++) {
              int row = (n * 3 + c) * image.height() + py * patch + y;
              int from = row * image.width() + px * patch;
              System.arraycopy(codes, from, out, i, patch);
              i += patch;
            }
          }
        }
      }
    }
    return out;
  }

  /**
   * @param linear node with 8-bit output
   * @param acc accumulators, [rows][outputs]
   * @return clamped codes, [rows][outputs]
   */
  public static byte[] requantize8(Linear linear, int[] acc) {
    byte[] out = new byte[acc.length];
    for (int row = 0; row < acc.length; row += linear.outputs()) {
      for (int c = 0; c < linear.outputs(); c++) {
        out[row + c] = Quantizer.clamp8(linear.requantization().apply(c, acc[row + c]));
      }
    }
    return out;
  }

  /**
   * @param linear node with 16-bit output
   * @param acc accumulators, [rows][outputs]
   * @return clamped codes, [rows][outputs]
   */
  public static short[] requantize16(Linear linear, int[] acc) {
    short[] out = new short[acc.length];
    for (int row = 0; row < acc.length; row += linear.outputs()) {
      for (int c = 0; c < linear.outputs(); c++) {
        out[row + c] = Quantizer.clamp16(linear.requantization().apply(c, acc[row + c]));
      }
    }
    return out;
  }

  /**
   * @param linear classifier
   * @param acc accumulators, [rows][classes]
   * @return logits, [rows][classes]
   */
  public static int[] requantize32(Linear linear, int[] acc) {
    int[] out = new int[acc.length];
    for (int i = 0; i < acc.length; i++) {
      out[i] = Math.toIntExact(linear.requantization().apply(i % linear.outputs(), acc[i]));
    }
    return out;
  }

  /**
   * @param embed node
   * @param patches 16-bit codes, [pictures][patches][channels]
   * @param pictures number of pictures
   * @return 16-bit codes, [pictures][tokens][channels]
   */
  public static short[] embed(Embed embed, short[] patches, int pictures) {
    int length = embed.position().length;
    int leading = embed.leading().length;
    short[] out = new short[pictures * length];
    for (int n = 0; n < pictures; n++) {
      for (int i = 0; i < length; i++) {
        int z = i < leading ? embed.leading()[i] : patches[n * (length - leading) + i - leading];
        out[n * length + i] = embed.sum().add(z, embed.position()[i]);
      }
    }
    return out;
  }

  /**
   * @param norm node
   * @param x 16-bit codes, [rows][channels]
   * @return 8-bit codes, [rows][channels]
   */
  public static byte[] layerNorm(LayerNorm norm, short[] x) {
    byte[] out = new byte[x.length];
    for (int row = 0; row < x.length; row += norm.channels()) {
      ILayerNorm.row(x, row, norm.channels(), norm.constants(), 8, out, row);
    }
    return out;
  }

  /**
   * Turns queries and keys.
   *
   * @param rotation node
   * @param qkv 16-bit codes, [pictures][tokens][3][heads][headDim]
   * @param heads number of heads
   * @return 2^14 times codes of the same scale, of the same shape; values not turned
   */
  public static int[] turn(Rotation rotation, short[] qkv, int heads) {
    int headDim = rotation.turns().headDim();
    int dim = heads * headDim;
    int[] out = new int[qkv.length];
    for (int i = 0; i < out.length; i++) {
      int token = i / (3 * dim) % rotation.turns().tokens();
      int channel = i % headDim;
      out[i] =
          i / dim % 3 == 2
              ? qkv[i] << Rotation.BITS
              : rotation.turned(qkv, i - channel, token, channel);
    }
    return out;
  }

  /**
   * @param rotation node
   * @param turned from {@link #turn}
   * @return 8-bit codes, of the same shape
   */
  public static byte[] rotated(Rotation rotation, int[] turned) {
    byte[] out = new byte[turned.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = rotation.code(turned[i]);
    }
    return out;
  }

  /**
   * @param gating node
   * @param gate 8-bit codes, [rows][channels]
   * @param value 8-bit codes, of the same shape
   * @return 8- or 16-bit codes, of the same shape
   */
  public static short[] gate(Gating gating, byte[] gate, byte[] value) {
    short[] out = new short[gate.length];
    int channels = gating.product().size();
    for (int i = 0; i < out.length; i++) {
      out[i] = gating.code(i % channels, gating.product(gate[i], value[i]));
    }
    return out;
  }

  /**
   * @param x codes of 8 bits
   * @return the same codes
   */
  public static byte[] narrow(short[] x) {
    byte[] out = new byte[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = (byte) x[i];
    }
    return out;
  }

  /**
   * @param scores multiplier
   * @param acc accumulators of Q·Kᵀ
   * @return 8-bit codes
   */
  public static byte[] scores(Dyadic scores, int[] acc) {
    byte[] out = new byte[acc.length];
    for (int i = 0; i < acc.length; i++) {
      out[i] = Quantizer.clamp8(scores.apply(acc[i]));
    }
    return out;
  }

  /**
   * Divides the sums of the rows of probabilities out of P·V where softmax left that ({@code
   * docs/arithmetic.md#softmax}).
   *
   * @param attention node
   * @param acc accumulators of P·V, [groups][tokens][heads·headDim]; normalised in place
   * @param probabilities [groups][heads][tokens][tokens]
   * @param tokens of a group
   * @return {@code acc}
   */
  public static int[] normalise(Attention attention, int[] acc, short[] probabilities, int tokens) {
    if (!attention.softmax().deferred()) {
      return acc;
    }
    int heads = attention.heads();
    int headDim = attention.headDim();
    for (int row = 0; row < probabilities.length; row += tokens) {
      int factor = SoftmaxTable.factor(sum(probabilities, row, tokens));
      int query = row / tokens % tokens;
      int head = row / (tokens * tokens) % heads;
      int group = row / (tokens * tokens * heads);
      int at = ((group * tokens + query) * heads + head) * headDim;
      for (int i = at; i < at + headDim; i++) {
        acc[i] = SoftmaxTable.normalise(acc[i], factor);
      }
    }
    return acc;
  }

  private static int sum(short[] codes, int from, int n) {
    int sum = 0;
    for (int i = from; i < from + n; i++) {
      sum += codes[i];
    }
    return sum;
  }

  /**
   * @param attention node
   * @param acc accumulators of P·V, normalised, [rows][channels]
   * @return 8-bit codes, [rows][channels]
   */
  public static byte[] context(Attention attention, int[] acc) {
    return context(attention.context(), acc);
  }

  /**
   * @param position node
   * @param scores 8-bit codes of {@code attn.scores}, [windows][heads][query][key]
   * @param relative row of the table for each query and key, [query][key]
   * @return 8-bit codes of {@code attn.biased}, of the same shape
   */
  public static byte[] biased(PositionBias position, byte[] scores, int[] relative) {
    byte[] out = new byte[scores.length];
    for (int i = 0; i < out.length; i++) {
      int head = i / relative.length % position.heads();
      out[i] = position.add(scores[i], relative[i % relative.length], head);
    }
    return out;
  }

  /**
   * @param softmax table
   * @param scores 8-bit codes, [pictures][groups][heads][query][key]
   * @param site of the block
   * @return probabilities, of the same shape
   */
  public static short[] softmax(SoftmaxTable softmax, byte[] scores, Block site) {
    int tokens = site.rowTokens();
    boolean[][] masks = new boolean[site.groups()][];
    if (site.windows() != null) {
      Arrays.setAll(masks, site.windows()::mask);
    }
    short[] out = new short[scores.length];
    for (int row = 0; row < scores.length; row += tokens) {
      int query = row / tokens % tokens;
      int group = row / (site.heads() * tokens * tokens) % masks.length;
      softmax.row(scores, row, tokens, masks[group], query * tokens, out, row);
    }
    return out;
  }

  /**
   * Brings the tokens of pictures into window order.
   *
   * @param x codes, [pictures][tokens][channels]
   * @param order of {@link Windows#order}
   * @param channels number of channels
   * @return the rows in that order
   */
  public static byte[] partition(byte[] x, int[] order, int channels) {
    byte[] out = new byte[x.length];
    for (int row = 0; row < x.length / channels; row++) {
      int from = row - row % order.length + order[row % order.length];
      System.arraycopy(x, from * channels, out, row * channels, channels);
    }
    return out;
  }

  /**
   * Brings tokens in window order back into the order of pictures.
   *
   * @param x codes, [pictures][tokens][channels]
   * @param order of {@link Windows#order}
   * @param channels number of channels
   * @return the rows in the order of pictures
   */
  public static short[] reverse(short[] x, int[] order, int channels) {
    short[] out = new short[x.length];
    for (int row = 0; row < x.length / channels; row++) {
      int to = row - row % order.length + order[row % order.length];
      System.arraycopy(x, row * channels, out, to * channels, channels);
    }
    return out;
  }

  /**
   * Puts the neighbours (0,0), (1,0), (0,1), (1,1) of a grid side by side.
   *
   * @param x codes, [pictures][height][width][channels]
   * @param resolution size of the grid, even
   * @param channels number of channels
   * @return [pictures][height/2][width/2][4·channels]
   */
  public static short[] neighbours(short[] x, Size resolution, int channels) {
    short[] out = new short[x.length];
    Size half = resolution.dividedBy(2);
    for (int merged = 0; merged < x.length / (4 * channels); merged++) {
      int picture = merged / half.area();
      int row = 2 * (merged / half.width() % half.height());
      int column = 2 * (merged % half.width());
      for (int i = 0; i < 4; i++) {
        int line = picture * resolution.height() + row + i % 2;
        int token = line * resolution.width() + column + i / 2;
        System.arraycopy(x, token * channels, out, (4 * merged + i) * channels, channels);
      }
    }
    return out;
  }

  /**
   * @param norm node with 16-bit output: the norm of a stem's patches
   * @param x 8-bit codes, [rows][channels]
   * @return 16-bit codes, [rows][channels]
   */
  public static short[] layerNorm16(LayerNorm norm, byte[] x) {
    short[] out = new short[x.length];
    for (int row = 0; row < x.length; row += norm.channels()) {
      ILayerNorm.row(x, row, norm.channels(), norm.constants(), 16, out, row);
    }
    return out;
  }

  /**
   * @param norm node with 16-bit output
   * @param x 16-bit codes, [rows][channels]
   * @return 16-bit codes, [rows][channels]
   */
  public static short[] layerNorm16(LayerNorm norm, short[] x) {
    short[] out = new short[x.length];
    for (int row = 0; row < x.length; row += norm.channels()) {
      ILayerNorm.row(x, row, norm.channels(), norm.constants(), 16, out, row);
    }
    return out;
  }

  /**
   * @param x 16-bit codes
   * @return the same codes
   */
  public static int[] widen(short[] x) {
    int[] out = new int[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = x[i];
    }
    return out;
  }

  /**
   * @param x 8-bit codes
   * @return the same codes
   */
  public static short[] widen(byte[] x) {
    short[] out = new short[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = x[i];
    }
    return out;
  }

  /**
   * Sums over tokens.
   *
   * @param x codes, [pictures][tokens][channels]
   * @param tokens of a picture
   * @param leading the first of them, which take no part
   * @param channels number of channels
   * @return [pictures][channels]
   */
  public static int[] sums(short[] x, int tokens, int leading, int channels) {
    int[] sums = new int[x.length / tokens];
    for (int i = 0; i < sums.length; i++) {
      int from = i / channels * tokens * channels + i % channels;
      for (int t = leading; t < tokens; t++) {
        sums[i] += x[from + t * channels];
      }
    }
    return sums;
  }

  /**
   * @param pool node
   * @param sums over tokens, [pictures][channels]
   * @return 8-bit codes, of the same shape
   */
  public static byte[] pool8(Pool pool, int[] sums) {
    byte[] out = new byte[sums.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = Quantizer.clamp8(pool.multiplier().apply(sums[i]));
    }
    return out;
  }

  /**
   * @param pool node
   * @param sums over tokens, [pictures][channels]
   * @return 16-bit codes, of the same shape
   */
  public static short[] pool16(Pool pool, int[] sums) {
    short[] out = new short[sums.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = Quantizer.clamp16(pool.multiplier().apply(sums[i]));
    }
    return out;
  }

  /**
   * Softmax over the tokens for the one query of an attention pooling.
   *
   * @param softmax table
   * @param scores 8-bit codes, [pictures][tokens][heads]
   * @param tokens of a picture
   * @param heads number of heads
   * @return probabilities, [pictures][heads][tokens]
   */
  public static short[] querySoftmax(SoftmaxTable softmax, byte[] scores, int tokens, int heads) {
    byte[] rows = new byte[scores.length];
    for (int i = 0; i < rows.length; i++) {
      int picture = i / (heads * tokens);
      rows[i] = scores[(picture * tokens + i % tokens) * heads + i / tokens % heads];
    }
    short[] out = new short[rows.length];
    for (int row = 0; row < rows.length; row += tokens) {
      softmax.row(rows, row, tokens, null, 0, out, row);
    }
    return out;
  }

  /**
   * Values weighted by the probabilities of an attention pooling, their sums divided out where
   * softmax left that.
   *
   * @param attention node
   * @param probabilities [pictures][heads][tokens]
   * @param values 8-bit codes, [pictures][tokens][channels]
   * @param tokens of a picture
   * @return accumulators, [pictures][channels]
   */
  public static int[] queryContext(
      QueryAttention attention, short[] probabilities, byte[] values, int tokens) {
    int channels = attention.context().size();
    int[] acc = new int[values.length / tokens];
    for (int i = 0; i < acc.length; i++) {
      int picture = i / channels;
      int head = i % channels / attention.headDim();
      int row = (picture * attention.heads() + head) * tokens;
      for (int t = 0; t < tokens; t++) {
        acc[i] += probabilities[row + t] * values[(picture * tokens + t) * channels + i % channels];
      }
      if (attention.softmax().deferred()) {
        int factor = SoftmaxTable.factor(sum(probabilities, row, tokens));
        acc[i] = SoftmaxTable.normalise(acc[i], factor);
      }
    }
    return acc;
  }

  /**
   * @param context multipliers, one a channel
   * @param acc accumulators, normalised, [rows][channels]
   * @return 8-bit codes, of the same shape
   */
  public static byte[] context(DyadicVector context, int[] acc) {
    byte[] out = new byte[acc.length];
    for (int i = 0; i < acc.length; i++) {
      out[i] = Quantizer.clamp8(context.apply(i % context.size(), acc[i]));
    }
    return out;
  }

  /**
   * @param gelu node
   * @param x 8-bit codes, [rows][channels]
   * @param channels number of channels
   * @return 8-bit codes, [rows][channels]
   */
  public static byte[] gelu(Gelu gelu, byte[] x, int channels) {
    byte[] out = new byte[x.length];
    if (gelu instanceof GeluTable table) {
      for (int i = 0; i < x.length; i++) {
        out[i] = table.tableOf(i % channels)[x[i] + 128];
      }
    } else if (gelu instanceof GeluRow row) {
      for (int from = 0; from < x.length; from += channels) {
        int maximum = ShiftGelu.rowMax(x, from, channels);
        for (int i = from; i < from + channels; i++) {
          out[i] = row.apply(x[i], maximum);
        }
      }
    }
    return out;
  }

  /**
   * @param residual node
   * @param branch 16-bit codes
   * @param identity 16-bit codes of the same shape
   * @return 16-bit codes
   */
  public static short[] add(Residual residual, short[] branch, short[] identity) {
    short[] out = new short[branch.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = residual.add(branch[i], identity[i]);
    }
    return out;
  }

  /**
   * The leading tokens of each picture.
   *
   * @param x 16-bit codes, [pictures][tokens][channels]
   * @param pictures number of pictures
   * @param length leading tokens times channels
   * @return [pictures][length]
   */
  public static short[] leading(short[] x, int pictures, int length) {
    short[] out = new short[pictures * length];
    int stride = x.length / pictures;
    for (int n = 0; n < pictures; n++) {
      System.arraycopy(x, n * stride, out, n * length, length);
    }
    return out;
  }

  /**
   * The first token's codes and those of the mean, side by side.
   *
   * @param tokens 8-bit codes, [pictures][tokens][channels]
   * @param means 8-bit codes, [pictures][channels]
   * @param channels number of channels
   * @return [pictures][2][channels]
   */
  public static byte[] tokenAndMean(byte[] tokens, byte[] means, int channels) {
    int pictures = means.length / channels;
    byte[] out = new byte[2 * means.length];
    for (int n = 0; n < pictures; n++) {
      int from = tokens.length / pictures * n;
      System.arraycopy(tokens, from, out, 2 * n * channels, channels);
      System.arraycopy(means, n * channels, out, (2 * n + 1) * channels, channels);
    }
    return out;
  }

  /**
   * The sum of what each classifier says of its token ({@code
   * docs/arithmetic.md#pool-head-and-logits}).
   *
   * @param heads classifiers on one scale
   * @param codes of their inputs, [pictures][heads][channels]
   * @param products matrix products
   * @return logits, [pictures][classes]
   */
  public static int[] logits(List<Linear> heads, byte[] codes, MatrixProducts products) {
    int[] sum = null;
    for (int h = 0; h < heads.size(); h++) {
      Linear head = heads.get(h);
      int channels = head.inputs();
      int pictures = codes.length / channels / heads.size();
      byte[] token = new byte[pictures * channels];
      for (int n = 0; n < pictures; n++) {
        System.arraycopy(codes, (n * heads.size() + h) * channels, token, n * channels, channels);
      }
      int[] logits =
          requantize32(
              head,
              products.linear(
                  token, pictures, head.weight(), head.bias(), channels, head.inputOutliers()));
      if (sum == null) {
        sum = logits;
      } else {
        for (int i = 0; i < sum.length; i++) {
          sum[i] += logits[i];
        }
      }
    }
    return sum;
  }
}
