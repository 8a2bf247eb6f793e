package org.ivit.train.layer;

import java.util.Objects;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.SchemeJson;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatBlock;
import org.ivit.train.operator.integer.QuantizedBlock;

/** A transformer block whose tokens attend within windows, [batch, tokens, dim] to the same. */
public final class SwinBlock extends SwinLayer {
  private static final long serialVersionUID = 1L;

  private int block;
  private double dropPath;

  /** For Jackson. */
  public SwinBlock() {}

  /**
   * @param architecture of the whole network
   * @param block number of the block, counted through the stages
   * @param dropPath rate of stochastic depth
   * @param scheme JSON of {@link SchemeJson} for integers, null for floating point
   */
  public SwinBlock(Swin architecture, int block, double dropPath, String scheme) {
    super(
        architecture.blocks().get(block).dim(),
        architecture.blocks().get(block).dim(),
        architecture,
        scheme);
    this.block = block;
    this.dropPath = dropPath;
  }

  private Block site() {
    return swin().blocks().get(block);
  }

  @Override
  public Operator operator() {
    DropPath drop1 = DropPath.of(dropPath, block, 0);
    DropPath drop2 = DropPath.of(dropPath, block, 1);
    Swin swin = swin();
    Block site = site();
    return quantized()
        ? new QuantizedBlock(site, swin.streamInto(block), parsedScheme(), drop1, drop2)
        : new FloatBlock(site, swin.epsilon(), drop1, drop2);
  }

  @Override
  public long[] outputShape(long[] input) {
    Block site = site();
    return new long[] {input[0], site.tokens(), site.dim()};
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    Block site = site();
    return InputType.recurrent(site.dim(), site.tokens(), RNNFormat.NWC);
  }

  /** Returns the number of the block, counted through the stages. */
  public int getBlock() {
    return block;
  }

  /** Sets the number of the block, counted through the stages. */
  public void setBlock(int block) {
    this.block = block;
  }

  /** Returns the rate of stochastic depth. */
  public double getDropPath() {
    return dropPath;
  }

  /** Sets the rate of stochastic depth. */
  public void setDropPath(double dropPath) {
    this.dropPath = dropPath;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof SwinBlock that
        && block == that.block
        && dropPath == that.dropPath;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof SwinBlock;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), block, dropPath);
  }
}
