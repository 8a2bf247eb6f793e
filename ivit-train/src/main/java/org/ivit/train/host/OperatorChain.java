package org.ivit.train.host;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.BlockSite;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Scheme;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.EmbeddingShape;
import org.ivit.train.operator.HeadShape;
import org.ivit.train.operator.QuantizedBlock;
import org.ivit.train.operator.QuantizedEmbedding;
import org.ivit.train.operator.QuantizedHead;
import org.ivit.train.operator.QuantizedMerging;
import org.ivit.train.operator.QuantizedNormedEmbedding;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.QuantizedPooledHead;

/**
 * The operators of a quantized network in the order of the layers of Deeplearning4j's network, and
 * with their parameters in its order.
 */
final class OperatorChain {
  /**
   * One operator.
   *
   * @param prefix of its parameters' timm names
   * @param operator forward and backward
   * @param from index of its first parameter in the network
   * @param outputs numbers that it makes of a picture
   */
  record Link(String prefix, QuantizedOperator operator, int from, int outputs) {}

  private final double stochasticDepth;
  private final Scheme scheme;
  private final int inputs;
  private final List<Link> links = new ArrayList<>();
  private int size;
  private int blocks;

  /**
   * @param architecture sizes
   * @param scheme how it is quantized
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   */
  OperatorChain(Architecture architecture, Scheme scheme, double stochasticDepth) {
    this.stochasticDepth = stochasticDepth;
    this.scheme = scheme;
    this.inputs = 3 * architecture.image() * architecture.image();
    if (architecture instanceof Swin swin) {
      swin(swin);
    } else {
      vit((Vit) architecture);
    }
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

  private void block(BlockSite site, String input, int depth) {
    double rate = depth == 1 ? 0 : stochasticDepth * blocks / (double) (depth - 1);
    DropPath drop1 = new DropPath(rate, 2L * blocks);
    DropPath drop2 = new DropPath(rate, 2L * blocks + 1);
    add(
        site.node(""),
        new QuantizedBlock(site, input, scheme, drop1, drop2),
        site.tokens() * site.dim());
    blocks++;
  }

  private void vit(Vit vit) {
    EmbeddingShape shape = new EmbeddingShape(vit.image(), vit.patch(), vit.dim(), vit.leading());
    add("", new QuantizedEmbedding(shape, scheme), vit.tokens() * vit.dim());
    for (BlockSite site : vit.blocks()) {
      block(site, NodeNames.stream(blocks), vit.blocks().size());
    }
    HeadShape head = new HeadShape(vit.tokens(), vit.dim(), vit.classes(), vit.classifiers());
    add("", new QuantizedHead(head, NodeNames.stream(blocks), scheme), vit.classes());
  }

  private void swin(Swin swin) {
    EmbeddingShape shape = new EmbeddingShape(swin.image(), swin.patch(), swin.dim());
    add("", new QuantizedNormedEmbedding(shape, scheme), shape.patches() * shape.dim());
    String output = "";
    for (Swin.Stage stage : swin.stages()) {
      for (BlockSite site : stage.blocks()) {
        block(site, swin.streamInto(blocks), swin.blocks().size());
      }
      if (stage.merges()) {
        add(
            stage.downsample(),
            new QuantizedMerging(stage, stage.output(), scheme),
            stage.tokens() / 2 * stage.dim());
      }
      output = stage.output();
    }
    HeadShape head = new HeadShape(swin.pooledTokens(), swin.features(), swin.classes());
    add("", new QuantizedPooledHead(head, output, scheme), swin.classes());
  }
}
