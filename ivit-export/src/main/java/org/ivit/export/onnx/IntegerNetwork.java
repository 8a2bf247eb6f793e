package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.GraphPart;
import org.ivit.core.graph.GraphVisitor;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.IntegerMeanPooling;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.IntegerStem;
import org.ivit.core.graph.Linear;

/**
 * An integer model in ONNX operators, from pixels of 8 bits to its int32 answer, without a floating
 * point number. Tokens lie in rows, [batch·tokens, channels].
 */
final class IntegerNetwork implements GraphVisitor<Void> {
  private final OnnxGraph graph;
  private final Tokens tokens;
  private final IntegerMath math;
  private final IntegerLayers layers;

  /** Bytes of the pixels, then tokens in rows, at last the answer. */
  private String x;

  /** Tokens of a picture in {@link #x}. */
  private int before;

  IntegerNetwork(OnnxGraph graph) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.math = new IntegerMath(graph);
    this.layers = new IntegerLayers(graph);
  }

  /**
   * Writes the whole network.
   *
   * @param pixels input codes of each value of a pixel
   */
  void write(IntegerGraph integers, PixelTable pixels) {
    Architecture architecture = integers.architecture();
    Size image = architecture.image();
    graph.input(FloatGraph.PIXELS, DataType.UINT8, 3, image.height(), image.width());
    x = codes(pixels);
    for (GraphPart part : integers.parts()) {
      part.accept(this);
      before = part.part().outputTokens();
    }
    String answer = FloatGraph.answer(architecture);
    graph.output(math.cast(x, answer, DataType.INT32), DataType.INT32, architecture.classes());
  }

  /** Bytes of the input codes, by a table of 256 for each of the three channels. */
  private String codes(PixelTable pixels) {
    byte[] table = new byte[3 * 256];
    for (int c = 0; c < 3; c++) {
      for (int value = 0; value < 256; value++) {
        table[c * 256 + value] = (byte) (pixels.codes()[c][value] + 128);
      }
    }
    String offsets = graph.longs("input.offsets", new long[] {0, 256, 512}, 1, 3, 1, 1);
    String index = math.add(math.wide(FloatGraph.PIXELS, "input"), offsets, "input");
    String codes = graph.bytes("input.table", DataType.UINT8, table, table.length);
    return graph.node("Gather", "input", List.of(codes, index));
  }

  @Override
  public Void stem(IntegerStem stem) {
    Stem part = stem.part();
    String patches = tokens.unfold(x, "input", part.image(), part.patch());
    x =
        stem.norm() != null
            ? layers.norm16(
                stem.norm(),
                layers.centred(layers.linear8(stem.projection(), patches), stem.norm().name()))
            : embed(part, stem.embed(), layers.linear16(stem.projection(), patches));
    return null;
  }

  private String embed(Stem part, Embed embed, String projected) {
    int dim = part.dim();
    int leading = part.leadingTokens();
    String name = part.output().name();
    String joined =
        tokens.reshape(projected, part.projection().node().name(), -1, part.patches(), dim);
    if (leading > 0) {
      long[] codes = Arrays.stream(embed.leading()).asLongStream().toArray();
      String own = graph.longs("leading", codes, 1, leading, dim);
      joined = tokens.prepend(own, leading, joined, name, dim);
    }
    return tokens.reshape(
        layers.residual(embed.sum(), joined, embed.position(), dim), name, -1, dim);
  }

  @Override
  public Void merging(IntegerMerging merging) {
    Merging part = merging.part();
    String merged = tokens.neighbours(x, merging.norm().name(), part.resolution(), part.dim());
    Linear reduction = merging.reduction();
    x =
        layers.centred(
            layers.linear8(reduction, layers.norm8(merging.norm(), merged)), reduction.name());
    return null;
  }

  @Override
  public Void norm(IntegerNorm norm) {
    Norm part = norm.part();
    x = layers.norm16(norm.norm(), tokens.first(x, part.name(), before, part.tokens(), part.dim()));
    return null;
  }

  @Override
  public Void meanPooling(IntegerMeanPooling pooling) {
    MeanPooling part = pooling.part();
    x =
        layers.pool16(
            pooling.pool(), sum(part.output(), part.tokens(), part.leading(), part.dim()));
    return null;
  }

  /** Sums over the tokens behind the leading ones. */
  private String sum(Node node, int count, int leading, int dim) {
    return layers.sum(tokens.slice(x, node.name(), count, leading, count, dim), node.name());
  }

  @Override
  public Void attentionPooling(IntegerAttentionPooling pooling) {
    x = new IntegerPooling(graph, pooling).write(x);
    return null;
  }

  @Override
  public Void head(IntegerHead head) {
    Head part = head.part();
    if (!part.normed()) {
      x = tokens.first(x, part.output().name(), before, 1, part.dim());
    } else if (part.pooled()) {
      x = ofMean(head);
    } else {
      x = ofTokens(head);
    }
    return null;
  }

  private String ofMean(IntegerHead head) {
    Head part = head.part();
    x = layers.centred(layers.norm8(head.norm(), x), part.norm().name());
    String sum = sum(part.pool(), part.tokens(), part.leadingTokens(), part.dim());
    if (head.pool() == null) {
      return sum;
    }
    Linear classifier = head.classifiers().get(0);
    return layers.linear(classifier, classifier.name(), layers.pool8(head.pool(), sum));
  }

  private String ofTokens(IntegerHead head) {
    Head part = head.part();
    String pictures = tokens.reshape(x, head.norm().name(), -1, part.tokens(), part.dim());
    String logits = null;
    for (int i = 0; i < head.classifiers().size(); i++) {
      Linear classifier = head.classifiers().get(i);
      String token = tokens.token(pictures, i, classifier.name());
      String own = layers.linear(classifier, classifier.name(), layers.norm8(head.norm(), token));
      logits = logits == null ? own : math.add(logits, own, "heads");
    }
    return logits;
  }

  @Override
  public Void block(IntegerBlock block) {
    Block site = block.part();
    String norm1 = tokens.partition(layers.norm8(block.norm1(), x), site, site.node("partition"));
    String context =
        new IntegerAttention(graph, site, block.attention()).write(attended(block, norm1));
    String proj = layers.linear16(block.proj(), context);
    String branch = tokens.reverse(proj, site, site.node("reverse"));
    String middle = layers.residual(block.residual1(), branch, x);
    String norm2 = layers.norm8(block.norm2(), middle);
    x =
        layers.residual(
            block.residual2(), layers.linear16(block.fc2(), hidden(block, norm2)), middle);
    return null;
  }

  /** Bytes of the queries, keys and values that attention reads. */
  private String attended(IntegerBlock block, String norm1) {
    return block.rotation() == null
        ? layers.linear8(block.qkv(), norm1)
        : new IntegerRotation(graph, block).write(layers.linear16(block.qkv(), norm1));
  }

  /** Bytes of what the last product of the MLP reads. */
  private String hidden(IntegerBlock block, String norm2) {
    String fc1 = layers.linear(block.fc1(), block.fc1().name(), norm2);
    if (block.gating() == null) {
      return layers.gelu(block.gelu(), fc1, block.part().hidden());
    }
    String value = layers.linear(block.value(), block.value().name(), norm2);
    return block.mlpNorm() == null
        ? layers.gated8(block.gating(), fc1, value)
        : layers.norm8(block.mlpNorm(), layers.gated16(block.gating(), fc1, value));
  }
}
