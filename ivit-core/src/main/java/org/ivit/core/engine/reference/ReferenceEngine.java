package org.ivit.core.engine.reference;

import org.ivit.core.InputException;
import org.ivit.core.architecture.Vit;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Block;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.VitGraph;

/** Scalar Java, node by node, traceable: slow, obvious, the judge of the others. */
public final class ReferenceEngine implements Engine {
  private final VitGraph graph;
  private final MatrixProducts products = new ReferenceMatrixProducts();
  private final String why;
  private volatile boolean closed;

  /**
   * @param graph a vision transformer
   */
  public ReferenceEngine(IntegerGraph graph) {
    this(graph, "asked for");
  }

  /**
   * @param graph a vision transformer
   * @param why why this engine was chosen, for {@link #description}
   */
  public ReferenceEngine(IntegerGraph graph, String why) {
    this.graph = (VitGraph) graph;
    this.why = why;
  }

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String description() {
    return "reference: scalar Java on 1 thread (" + why + ")";
  }

  @Override
  public VitGraph graph() {
    return graph;
  }

  @Override
  public int[] logits(byte[] codes, int pictures) {
    return logits(codes, pictures, Trace.NONE);
  }

  /**
   * Classifies pictures and shows every node's codes on the way.
   *
   * @param codes 8-bit input codes, [pictures][3][image][image]
   * @param pictures number of pictures
   * @param trace receives the nodes in order of execution
   * @return logits, [pictures][classes]
   */
  public int[] logits(byte[] codes, int pictures, Trace trace) {
    if (closed) {
      throw new IllegalStateException("engine reference is closed");
    }
    Vit a = graph.architecture();
    if (pictures < 1 || codes.length != pictures * 3L * a.image() * a.image()) {
      throw new InputException(
          "input: found "
              + codes.length
              + " codes for "
              + pictures
              + " pictures, expected "
              + 3L * a.image() * a.image()
              + " a picture");
    }
    trace.node(NodeNames.INPUT, codes);
    byte[] patches = NodeKernels.unfold(codes, pictures, a.image(), a.patch());
    short[] projected =
        NodeKernels.requantize16(graph.patchEmbed(), accumulate(graph.patchEmbed(), patches));
    trace.node(NodeNames.PATCH_EMBED, projected);
    short[] x = NodeKernels.embed(graph.embed(), projected, pictures);
    trace.node(NodeNames.EMBED, x);
    for (int i = 0; i < a.depth(); i++) {
      x = block(graph.blocks().get(i), NodeNames.block(i, ""), x, pictures, trace);
    }
    byte[] norm =
        NodeKernels.layerNorm(graph.norm(), NodeKernels.classTokens(x, pictures, a.dim()));
    trace.node(NodeNames.NORM, norm);
    int[] logits = NodeKernels.requantize32(graph.head(), accumulate(graph.head(), norm));
    trace.node(NodeNames.HEAD, logits);
    return logits;
  }

  private short[] block(Block block, String prefix, short[] x, int pictures, Trace trace) {
    byte[] norm1 = NodeKernels.layerNorm(block.norm1(), x);
    trace.node(prefix + "norm1", norm1);
    byte[] qkv = NodeKernels.requantize8(block.qkv(), accumulate(block.qkv(), norm1));
    trace.node(prefix + "attn.qkv", qkv);
    byte[] context = attention(block.attention(), prefix, qkv, pictures, trace);
    trace.node(prefix + "attn.context", context);
    short[] proj = NodeKernels.requantize16(block.proj(), accumulate(block.proj(), context));
    trace.node(prefix + "attn.proj", proj);
    short[] residual1 = NodeKernels.add(block.residual1(), proj, x);
    trace.node(prefix + "residual1", residual1);
    byte[] norm2 = NodeKernels.layerNorm(block.norm2(), residual1);
    trace.node(prefix + "norm2", norm2);
    byte[] fc1 = NodeKernels.requantize8(block.fc1(), accumulate(block.fc1(), norm2));
    trace.node(prefix + "mlp.fc1", fc1);
    byte[] act = NodeKernels.gelu(block.gelu(), fc1, block.fc1().outputs());
    trace.node(prefix + "mlp.act", act);
    short[] fc2 = NodeKernels.requantize16(block.fc2(), accumulate(block.fc2(), act));
    trace.node(prefix + "mlp.fc2", fc2);
    short[] residual2 = NodeKernels.add(block.residual2(), fc2, residual1);
    trace.node(prefix + "residual2", residual2);
    return residual2;
  }

  private byte[] attention(
      Attention attention, String prefix, byte[] qkv, int pictures, Trace trace) {
    int tokens = graph.architecture().tokens();
    int heads = attention.heads();
    int headDim = attention.headDim();
    byte[] scores =
        NodeKernels.scores(
            attention.scores(), products.scores(qkv, pictures, tokens, heads, headDim));
    trace.node(prefix + "attn.scores", scores);
    short[] probabilities = NodeKernels.softmax(attention.softmax(), scores, tokens);
    trace.node(prefix + "attn.softmax", probabilities);
    return NodeKernels.context(
        attention, products.context(probabilities, qkv, pictures, tokens, heads, headDim));
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
  public void close() {
    closed = true;
  }
}
