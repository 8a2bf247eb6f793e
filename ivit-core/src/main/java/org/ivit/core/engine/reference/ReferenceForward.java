package org.ivit.core.engine.reference;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Windows;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.GraphVisitor;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.IntegerMeanPooling;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.IntegerStem;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.graph.Rotation;

/** Runs nodes one after the other and shows each one's codes. */
final class ReferenceForward implements GraphVisitor<Void> {
  private final MatrixProducts products;
  private final Trace trace;
  private final byte[] codes;
  private final int pictures;

  /** The residual stream, [pictures][tokens][channels] in the order of the picture. */
  private short[] x;

  private int[] logits;

  /**
   * @param codes input, [pictures][3][image][image]
   */
  ReferenceForward(MatrixProducts products, Trace trace, byte[] codes, int pictures) {
    this.products = products;
    this.trace = trace;
    this.codes = codes;
    this.pictures = pictures;
  }

  /** What the head answered, [pictures][classes]. */
  int[] logits() {
    return logits;
  }

  private void show(String node, Object codes) {
    trace.node(node, codes);
  }

  private byte[] norm(LayerNorm norm, short[] x) {
    byte[] codes = NodeKernels.layerNorm(norm, x);
    show(norm.name(), codes);
    return codes;
  }

  private byte[] linear8(Linear linear, byte[] x) {
    byte[] codes = NodeKernels.requantize8(linear, accumulate(linear, x));
    show(linear.name(), codes);
    return codes;
  }

  private short[] linear16(Linear linear, byte[] x) {
    short[] codes = NodeKernels.requantize16(linear, accumulate(linear, x));
    show(linear.name(), codes);
    return codes;
  }

  private int[] accumulate(Linear linear, byte[] x) {
    return products.linear(
        x,
        x.length / linear.inputs(),
        linear.weight(),
        linear.bias(),
        linear.inputs(),
        linear.inputOutliers());
  }

  @Override
  public Void stem(IntegerStem stem) {
    Stem part = stem.part();
    byte[] patches = NodeKernels.unfold(codes, pictures, part.image(), part.patch());
    x =
        stem.norm() != null
            ? NodeKernels.layerNorm16(stem.norm(), linear8(stem.projection(), patches))
            : NodeKernels.embed(stem.embed(), linear16(stem.projection(), patches), pictures);
    show(part.output().name(), x);
    return null;
  }

  @Override
  public Void block(IntegerBlock block) {
    Block part = block.part();
    byte[] norm1 = norm(block.norm1(), x);
    Windows windows = part.windows();
    int[] order = windows == null ? null : windows.order();
    byte[] grouped = order == null ? norm1 : NodeKernels.partition(norm1, order, part.dim());
    byte[] context = attention(block.attention(), part, attended(block, grouped));
    short[] proj = linear16(block.proj(), context);
    short[] branch = order == null ? proj : NodeKernels.reverse(proj, order, part.dim());
    short[] residual1 = NodeKernels.add(block.residual1(), branch, x);
    show(block.residual1().name(), residual1);
    short[] fc2 = linear16(block.fc2(), activated(block, norm(block.norm2(), residual1)));
    x = NodeKernels.add(block.residual2(), fc2, residual1);
    show(block.residual2().name(), x);
    return null;
  }

  /** Queries, keys and values as attention reads them. */
  private byte[] attended(IntegerBlock block, byte[] x) {
    Rotation rotation = block.rotation();
    if (rotation == null) {
      return linear8(block.qkv(), x);
    }
    int[] turned = NodeKernels.turn(rotation, linear16(block.qkv(), x), block.part().heads());
    byte[] codes = NodeKernels.rotated(rotation, turned);
    show(rotation.name(), codes);
    return codes;
  }

  /** What feeds the last product of the MLP. */
  private byte[] activated(IntegerBlock block, byte[] x) {
    byte[] fc1 = linear8(block.fc1(), x);
    Gating gating = block.gating();
    if (gating == null) {
      byte[] act = NodeKernels.gelu(block.gelu(), fc1, block.part().hidden());
      show(block.gelu().name(), act);
      return act;
    }
    short[] wide = NodeKernels.gate(gating, fc1, linear8(block.value(), x));
    if (block.mlpNorm() != null) {
      show(gating.name(), wide);
      return norm(block.mlpNorm(), wide);
    }
    byte[] act = NodeKernels.narrow(wide);
    show(gating.name(), act);
    return act;
  }

  @Override
  public Void merging(IntegerMerging merging) {
    Merging part = merging.part();
    short[] neighbours = NodeKernels.neighbours(x, part.resolution(), part.dim());
    x = NodeKernels.widen(linear8(merging.reduction(), norm(merging.norm(), neighbours)));
    return null;
  }

  @Override
  public Void norm(IntegerNorm norm) {
    Norm part = norm.part();
    x = NodeKernels.leading(x, pictures, part.tokens() * part.dim());
    x = NodeKernels.layerNorm16(norm.norm(), x);
    show(norm.norm().name(), x);
    return null;
  }

  @Override
  public Void meanPooling(IntegerMeanPooling pooling) {
    MeanPooling part = pooling.part();
    int[] sums = NodeKernels.sums(x, part.tokens(), part.leading(), part.dim());
    x = NodeKernels.pool16(pooling.pool(), sums);
    show(part.output().name(), x);
    return null;
  }

  @Override
  public Void attentionPooling(IntegerAttentionPooling pooling) {
    AttentionPooling part = pooling.part();
    byte[] normed = norm(pooling.norm(), x);
    byte[] scores = linear8(pooling.scores(), normed);
    byte[] values = linear8(pooling.values(), normed);
    QueryAttention attention = pooling.attention();
    short[] probabilities =
        NodeKernels.querySoftmax(attention.softmax(), scores, part.tokens(), part.heads());
    show(part.softmax(), probabilities);
    int[] acc = NodeKernels.queryContext(attention, probabilities, values, part.tokens());
    byte[] context = NodeKernels.context(attention.context(), acc);
    show(part.context().name(), context);
    short[] proj = linear16(pooling.proj(), context);
    byte[] fc1 = linear8(pooling.fc1(), norm(pooling.norm2(), proj));
    byte[] act = NodeKernels.gelu(pooling.gelu(), fc1, part.hidden());
    show(pooling.gelu().name(), act);
    x = NodeKernels.add(pooling.residual(), linear16(pooling.fc2(), act), proj);
    show(part.output().name(), x);
    return null;
  }

  @Override
  public Void head(IntegerHead head) {
    Head part = head.part();
    short[] read = NodeKernels.leading(x, pictures, part.readTokens() * part.dim());
    logits = head.norm() == null ? NodeKernels.widen(read) : answer(head, read);
    show(part.output().name(), logits);
    return null;
  }

  private int[] answer(IntegerHead head, short[] read) {
    byte[] features = norm(head.norm(), read);
    if (head.part().pooled()) {
      int[] sums = sums(head.part(), features);
      if (head.pool() == null) {
        return sums;
      }
      byte[] means = NodeKernels.pool8(head.pool(), sums);
      show(head.part().pool().name(), means);
      features =
          head.part().tokenAndMean()
              ? NodeKernels.tokenAndMean(features, means, head.part().dim())
              : means;
    }
    return NodeKernels.logits(head.classifiers(), features, products);
  }

  private static int[] sums(Head part, byte[] codes) {
    return NodeKernels.sums(
        NodeKernels.widen(codes), part.tokens(), part.leadingTokens(), part.dim());
  }

  private byte[] attention(Attention attention, Block site, byte[] qkv) {
    int tokens = site.rowTokens();
    int heads = site.heads();
    int groups = qkv.length / (3 * site.dim() * tokens);
    byte[] scores =
        NodeKernels.scores(
            attention.scores(), products.scores(qkv, groups, tokens, heads, site.headDim()));
    show(site.scores().name(), scores);
    byte[] biased = scores;
    if (site.windows() != null) {
      int[] relative = site.windows().relativeIndex();
      biased = NodeKernels.biased(attention.position(), scores, relative);
      show(attention.position().name(), biased);
    }
    short[] probabilities = NodeKernels.softmax(attention.softmax(), biased, site);
    show(site.softmax(), probabilities);
    int[] acc = products.context(probabilities, qkv, groups, tokens, heads, site.headDim());
    byte[] context =
        NodeKernels.context(
            attention, NodeKernels.normalise(attention, acc, probabilities, tokens));
    show(site.context().name(), context);
    return context;
  }
}
