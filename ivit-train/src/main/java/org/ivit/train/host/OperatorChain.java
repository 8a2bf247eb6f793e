package org.ivit.train.host;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.Scheme;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.NetworkParts;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.integer.QuantizedBlock;
import org.ivit.train.operator.integer.QuantizedEmbedding;
import org.ivit.train.operator.integer.QuantizedHead;
import org.ivit.train.operator.integer.QuantizedMerging;
import org.ivit.train.operator.integer.QuantizedNormedEmbedding;
import org.ivit.train.operator.integer.QuantizedPooledHead;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;

/**
 * The operators of a quantized network in the order of the layers of Deeplearning4j's network, and
 * with their parameters in its order.
 */
final class OperatorChain implements NetworkParts {
  /**
   * One operator.
   *
   * @param prefix of its parameters' timm names
   * @param operator forward and backward
   * @param from index of its first parameter in the network
   * @param outputs numbers that it makes of a picture
   */
  record Link(String prefix, QuantizedOperator operator, int from, int outputs) {}

  private final Scheme scheme;
  private final int inputs;
  private final List<Link> links = new ArrayList<>();
  private int size;

  /**
   * @param architecture sizes
   * @param scheme how it is quantized
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   */
  OperatorChain(Architecture architecture, Scheme scheme, double stochasticDepth) {
    this.scheme = scheme;
    this.inputs = 3 * architecture.image() * architecture.image();
    NetworkParts.visit(architecture, stochasticDepth, this);
  }

  /** The operators in order. */
  List<Link> links() {
    return links;
  }

  /** Numbers of a picture. */
  int inputs() {
    return inputs;
  }

  /** How many parameters there are, ranges included. */
  int size() {
    return size;
  }

  private void add(String prefix, QuantizedOperator operator, int outputs) {
    links.add(new Link(prefix, operator, size, outputs));
    size = Math.addExact(size, operator.layout().size());
  }

  @Override
  public void embedding(EmbeddingShape shape) {
    add("", new QuantizedEmbedding(shape, scheme), shape.tokens() * shape.dim());
  }

  @Override
  public void normedEmbedding(EmbeddingShape shape) {
    add("", new QuantizedNormedEmbedding(shape, scheme), shape.patches() * shape.dim());
  }

  @Override
  public void block(Block site, String input, int block, double dropPath) {
    DropPath drop1 = DropPath.of(dropPath, block, 0);
    DropPath drop2 = DropPath.of(dropPath, block, 1);
    add(
        site.node(""),
        new QuantizedBlock(site, input, scheme, drop1, drop2),
        site.tokens() * site.dim());
  }

  @Override
  public void merging(Swin.Stage stage) {
    add(
        stage.downsample(),
        new QuantizedMerging(stage, stage.output(), scheme),
        stage.tokens() / 2 * stage.dim());
  }

  @Override
  public void head(HeadShape shape, boolean pooled, String input) {
    add(
        "",
        pooled
            ? new QuantizedPooledHead(shape, input, scheme)
            : new QuantizedHead(shape, input, scheme),
        shape.classes());
  }
}
