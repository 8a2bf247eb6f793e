package org.ivit.core.engine.reference;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Residual;

/**
 * What every node does besides its matrix product, one method a node, row-major arrays in and out.
 * The calibration runs the same methods.
 */
public final class NodeKernels {
  private NodeKernels() {}

  /**
   * Cuts pictures into patches.
   *
   * @param codes [pictures][3][image][image]
   * @param pictures number of pictures
   * @param image height and width
   * @param patch height and width of a patch
   * @return rows of (channel, row, column), [pictures·patches][3·patch·patch]
   */
  public static byte[] unfold(byte[] codes, int pictures, int image, int patch) {
    int grid = image / patch;
    byte[] out = new byte[codes.length];
    int i = 0;
    for (int n = 0; n < pictures; n++) {
      for (int py = 0; py < grid; py++) {
        for (int px = 0; px < grid; px++) {
          for (int c = 0; c < 3; c++) {
            for (int y = 0; y < patch; y++) {
              int from = ((n * 3 + c) * image + py * patch + y) * image + px * patch;
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
    for (int i = 0; i < acc.length; i++) {
      out[i] = Quantizer.clamp8(linear.requantization().apply(i % linear.outputs(), acc[i]));
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
    for (int i = 0; i < acc.length; i++) {
      out[i] = Quantizer.clamp16(linear.requantization().apply(i % linear.outputs(), acc[i]));
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
   * @param patches 16-bit codes, [pictures][tokens − 1][channels]
   * @param pictures number of pictures
   * @return 16-bit codes, [pictures][tokens][channels]
   */
  public static short[] embed(Embed embed, short[] patches, int pictures) {
    int length = embed.position().length;
    int channels = embed.classToken().length;
    short[] out = new short[pictures * length];
    for (int n = 0; n < pictures; n++) {
      for (int i = 0; i < length; i++) {
        int z =
            i < channels ? embed.classToken()[i] : patches[n * (length - channels) + i - channels];
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
   * @param softmax table
   * @param scores 8-bit codes, [rows][tokens]
   * @param tokens length of a row
   * @return probabilities, [rows][tokens]
   */
  public static short[] softmax(SoftmaxTable softmax, byte[] scores, int tokens) {
    short[] out = new short[scores.length];
    for (int row = 0; row < scores.length; row += tokens) {
      softmax.row(scores, row, tokens, null, 0, out, row);
    }
    return out;
  }

  /**
   * @param attention node
   * @param acc accumulators of P·V, [rows][channels]
   * @return 8-bit codes, [rows][channels]
   */
  public static byte[] context(Attention attention, int[] acc) {
    int channels = attention.context().size();
    byte[] out = new byte[acc.length];
    for (int i = 0; i < acc.length; i++) {
      int c = i % channels;
      out[i] = Quantizer.clamp8(attention.context().apply(c, acc[i]));
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
   * @param x 16-bit codes, [pictures][tokens][channels]
   * @param pictures number of pictures
   * @param channels number of channels
   * @return token 0 of each picture, [pictures][channels]
   */
  public static short[] classTokens(short[] x, int pictures, int channels) {
    short[] out = new short[pictures * channels];
    int stride = x.length / pictures;
    for (int n = 0; n < pictures; n++) {
      System.arraycopy(x, n * stride, out, n * channels, channels);
    }
    return out;
  }
}
