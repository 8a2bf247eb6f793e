package org.ivit.core.graph;

import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.Silu;

/**
 * SwiGLU between the products of a gated MLP ({@code docs/arithmetic.md#swiglu}): silu of the
 * gate's 8-bit code, by table, times the value's 8-bit code.
 *
 * @param name full node name, such as {@code blocks.0.mlp.act}
 * @param table 16-bit codes of silu, index = code of the gate + 128
 * @param product multipliers from table times value to the output codes, one a channel
 * @param outputOutliers output channels whose codes have the scale {@code outputScale·2^k}
 * @param bits width of the output codes: 8, or 16 where a norm reads them
 * @param outputScale value of one output code step
 */
public record Gating(
    String name,
    short[] table,
    DyadicVector product,
    OutlierChannels outputOutliers,
    int bits,
    float outputScale) {
  /** Checks the lengths. */
  public Gating {
    GraphChecks.length(name + " table", table.length, 256);
    Bounds.requireChannels(name, outputOutliers, product.size());
  }

  /**
   * @param block with a gated MLP
   * @param gateScale scale of {@code mlp.fc1_g}
   * @param valueScale scale of {@code mlp.fc1_x}
   * @param outputScale scale of the range of {@code mlp.act}
   * @param outliers outlier channels of {@code mlp.act}
   * @return the node
   */
  public static Gating of(
      Block block, float gateScale, float valueScale, float outputScale, OutlierChannels outliers) {
    String name = block.act().name();
    return new Gating(
        name,
        Silu.table(gateScale),
        DyadicVector.of(
            name, productScale(gateScale, valueScale), block.hidden(), outputScale, outliers),
        outliers,
        block.act().bits(),
        outputScale);
  }

  /**
   * @param gateScale scale of {@code mlp.fc1_g}
   * @param valueScale scale of {@code mlp.fc1_x}
   * @return value of one step of {@link #product(int, int)}
   */
  public static float productScale(float gateScale, float valueScale) {
    return Silu.tableScale(gateScale) * valueScale;
  }

  /**
   * @param gate 8-bit code of {@code mlp.fc1_g}
   * @param value 8-bit code of {@code mlp.fc1_x}
   * @return table times value, below 2^22 in magnitude
   */
  public int product(int gate, int value) {
    return table[gate + 128] * value;
  }

  /**
   * @param channel a channel
   * @param product table times value
   * @return output code of {@link #bits}
   */
  public short code(int channel, int product) {
    long code = this.product.apply(channel, product);
    return bits == 8 ? Quantizer.clamp8(code) : Quantizer.clamp16(code);
  }
}
