package org.ivit.core.engine.reference;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Windows;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeNames;

/** Runs nodes one after the other and shows each one's codes. */
final class ReferenceNodes {
  private final MatrixProducts products;
  private final Trace trace;

  ReferenceNodes(MatrixProducts products, Trace trace) {
    this.products = products;
    this.trace = trace;
  }

  void show(String node, Object codes) {
    trace.node(node, codes);
  }

  byte[] norm(LayerNorm norm, short[] x) {
    byte[] codes = NodeKernels.layerNorm(norm, x);
    show(norm.name(), codes);
    return codes;
  }

  byte[] linear8(Linear linear, byte[] x) {
    byte[] codes = NodeKernels.requantize8(linear, accumulate(linear, x));
    show(linear.name(), codes);
    return codes;
  }

  short[] linear16(Linear linear, byte[] x) {
    short[] codes = NodeKernels.requantize16(linear, accumulate(linear, x));
    show(linear.name(), codes);
    return codes;
  }

  int[] logits(List<Linear> heads, byte[] x) {
    int[] logits = NodeKernels.logits(heads, x, products);
    show(NodeNames.HEAD, logits);
    return logits;
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

  /** {@code x} and the result are [pictures][tokens][channels] in the order of the picture. */
  short[] block(IntegerBlock block, short[] x) {
    Block site = block.site();
    byte[] norm1 = norm(block.norm1(), x);
    Windows windows = site.windows();
    int[] order = windows == null ? null : windows.order();
    byte[] grouped = order == null ? norm1 : NodeKernels.partition(norm1, order, site.dim());
    byte[] context = attention(block.attention(), site, linear8(block.qkv(), grouped));
    short[] proj = linear16(block.proj(), context);
    short[] branch = order == null ? proj : NodeKernels.reverse(proj, order, site.dim());
    short[] residual1 = NodeKernels.add(block.residual1(), branch, x);
    show(block.residual1().name(), residual1);
    byte[] fc1 = linear8(block.fc1(), norm(block.norm2(), residual1));
    byte[] act = NodeKernels.gelu(block.gelu(), fc1, site.hidden());
    show(block.gelu().name(), act);
    short[] fc2 = linear16(block.fc2(), act);
    short[] residual2 = NodeKernels.add(block.residual2(), fc2, residual1);
    show(block.residual2().name(), residual2);
    return residual2;
  }

  private byte[] attention(Attention attention, Block site, byte[] qkv) {
    int tokens = site.rowTokens();
    int heads = site.heads();
    int groups = qkv.length / (3 * site.dim() * tokens);
    byte[] scores =
        NodeKernels.scores(
            attention.scores(), products.scores(qkv, groups, tokens, heads, site.headDim()));
    show(site.node("attn.scores"), scores);
    short[] probabilities = probabilities(attention, site, scores);
    show(site.node("attn.softmax"), probabilities);
    int[] acc = products.context(probabilities, qkv, groups, tokens, heads, site.headDim());
    byte[] context =
        NodeKernels.context(
            attention, NodeKernels.normalise(attention, acc, probabilities, tokens));
    show(site.node("attn.context"), context);
    return context;
  }

  private short[] probabilities(Attention attention, Block site, byte[] scores) {
    Windows windows = site.windows();
    if (windows == null) {
      return NodeKernels.softmax(attention.softmax(), scores, site.rowTokens());
    }
    byte[] biased = NodeKernels.biased(attention.position(), scores, windows.relativeIndex());
    show(attention.position().name(), biased);
    return NodeKernels.softmax(attention.softmax(), biased, windows, site.heads());
  }

  short[] merge(IntegerMerging merging, Swin.Stage stage, short[] x) {
    short[] neighbours = NodeKernels.neighbours(x, stage.resolution(), stage.dim());
    return NodeKernels.widen(linear8(merging.reduction(), norm(merging.norm(), neighbours)));
  }
}
