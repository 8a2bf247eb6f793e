package org.ivit.train.layer;

import java.util.Objects;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.architecture.Block;
import org.ivit.core.graph.NodeNames;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatBlock;
import org.ivit.train.operator.integer.QuantizedBlock;

/** A transformer block of a ViT, [batch, tokens, dim] to the same. */
public final class TransformerBlock extends NormBlockLayer {
  private static final long serialVersionUID = 1L;

  private int tokens;
  private int dim;
  private int heads;
  private int hidden;
  private int block;
  private double dropPath;

  /** For Jackson. */
  public TransformerBlock() {}

  /**
   * @param site name and sizes; a ViT's, without windows
   * @param block index of the block in its network
   * @param epsilon of the norms; the integer arithmetic has none
   * @param dropPath rate of stochastic depth
   * @param scheme JSON of {@link org.ivit.core.graph.SchemeJson} for integers, null for floating
   *     point
   */
  public TransformerBlock(Block site, int block, double epsilon, double dropPath, String scheme) {
    super(site.dim(), site.dim(), epsilon, scheme);
    this.tokens = site.tokens();
    this.dim = site.dim();
    this.heads = site.heads();
    this.hidden = site.hidden();
    this.block = block;
    this.dropPath = dropPath;
  }

  @Override
  public Operator operator() {
    DropPath drop1 = DropPath.of(dropPath, block, 0);
    DropPath drop2 = DropPath.of(dropPath, block, 1);
    Block site = new Block(NodeNames.block(block), dim, heads, hidden, tokens, null);
    return quantized()
        ? new QuantizedBlock(site, NodeNames.stream(block), parsedScheme(), drop1, drop2)
        : new FloatBlock(site, getEpsilon(), drop1, drop2);
  }

  @Override
  public long[] outputShape(long[] input) {
    return new long[] {input[0], tokens, dim};
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    return InputType.recurrent(dim, tokens, RNNFormat.NWC);
  }

  /** Returns the number of tokens, class token included. */
  public int getTokens() {
    return tokens;
  }

  /** Sets the number of tokens, class token included. */
  public void setTokens(int tokens) {
    this.tokens = tokens;
  }

  /** Returns the number of channels. */
  public int getDim() {
    return dim;
  }

  /** Sets the number of channels. */
  public void setDim(int dim) {
    this.dim = dim;
  }

  /** Returns the number of attention heads. */
  public int getHeads() {
    return heads;
  }

  /** Sets the number of attention heads. */
  public void setHeads(int heads) {
    this.heads = heads;
  }

  /** Returns the number of channels inside the MLP. */
  public int getHidden() {
    return hidden;
  }

  /** Sets the number of channels inside the MLP. */
  public void setHidden(int hidden) {
    this.hidden = hidden;
  }

  /** Returns the index of the block in its network. */
  public int getBlock() {
    return block;
  }

  /** Sets the index of the block in its network. */
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
        && other instanceof TransformerBlock that
        && tokens == that.tokens
        && dim == that.dim
        && heads == that.heads
        && hidden == that.hidden
        && block == that.block
        && dropPath == that.dropPath;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof TransformerBlock;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), tokens, dim, heads, hidden, block, dropPath);
  }
}
