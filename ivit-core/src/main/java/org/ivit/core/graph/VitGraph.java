package org.ivit.core.graph;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.Bounds;

/**
 * A ViT or DeiT in integers, §9.
 *
 * @param architecture sizes
 * @param scheme forms, widths, outlier channels
 * @param inputScale scale of the input codes
 * @param patchEmbed linear layer over patches, input order (channel, row, column)
 * @param embed class token and positions
 * @param blocks transformer blocks
 * @param norm final norm, of the class token only
 * @param head classifier, 32-bit logits
 */
public record VitGraph(
    Vit architecture,
    Scheme scheme,
    float inputScale,
    Linear patchEmbed,
    Embed embed,
    List<Block> blocks,
    LayerNorm norm,
    Linear head)
    implements IntegerGraph {

  /** Checks that the nodes fit the architecture. */
  public VitGraph {
    blocks = List.copyOf(blocks);
    Vit a = architecture;
    GraphChecks.length("blocks", blocks.size(), a.depth());
    GraphChecks.length("patch_embed inputs", patchEmbed.inputs(), 3L * a.patch() * a.patch());
    GraphChecks.length("patch_embed outputs", patchEmbed.outputs(), a.dim());
    GraphChecks.length("pos_embed", embed.position().length, (long) a.tokens() * a.dim());
    GraphChecks.length("cls_token", embed.classToken().length, a.dim());
    for (int i = 0; i < blocks.size(); i++) {
      checkBlock(a, NodeNames.block(i, ""), blocks.get(i));
    }
    GraphChecks.length("norm", norm.channels(), a.dim());
    GraphChecks.length("head inputs", head.inputs(), a.dim());
    GraphChecks.length("head outputs", head.outputs(), a.classes());
  }

  private static void checkBlock(Vit a, String prefix, Block block) {
    GraphChecks.length(prefix + "norm1", block.norm1().channels(), a.dim());
    GraphChecks.length(prefix + "norm2", block.norm2().channels(), a.dim());
    checkLinear(block.qkv(), a.dim(), 3 * a.dim());
    checkLinear(block.proj(), a.dim(), a.dim());
    checkLinear(block.fc1(), a.dim(), a.hidden());
    checkLinear(block.fc2(), a.hidden(), a.dim());
    GraphChecks.length(prefix + "attn heads", block.attention().heads(), a.heads());
    GraphChecks.length(prefix + "attn head width", block.attention().headDim(), a.headDim());
    Bounds.requireChannels(prefix + "mlp.act", block.gelu().outputOutliers(), a.hidden());
    block.attention().softmax().prove(prefix + "attn.softmax", a.tokens());
    Bounds.proveContext(prefix + "attn.context", a.tokens(), block.attention().softmax().bits());
  }

  private static void checkLinear(Linear linear, int inputs, int outputs) {
    GraphChecks.length(linear.name() + " inputs", linear.inputs(), inputs);
    GraphChecks.length(linear.name() + " outputs", linear.outputs(), outputs);
  }

  @Override
  public float logitScale() {
    return head.outputScale();
  }

  @Override
  public SortedMap<String, Float> scales() {
    SortedMap<String, Float> scales = new TreeMap<>();
    scales.put(NodeNames.INPUT, inputScale);
    scales.put(NodeNames.PATCH_EMBED, patchEmbed.outputScale());
    scales.put("pos_embed", embed.positionScale());
    scales.put(NodeNames.EMBED, embed.sum().outputScale());
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      scales.put(NodeNames.block(i, "norm1"), block.norm1().outputScale());
      scales.put(NodeNames.block(i, "attn.qkv"), block.qkv().outputScale());
      scales.put(NodeNames.block(i, "attn.scores"), block.attention().scoresScale());
      scales.put(NodeNames.block(i, "attn.context"), block.attention().contextScale());
      scales.put(NodeNames.block(i, "attn.proj"), block.proj().outputScale());
      scales.put(NodeNames.block(i, "residual1"), block.residual1().outputScale());
      scales.put(NodeNames.block(i, "norm2"), block.norm2().outputScale());
      scales.put(NodeNames.block(i, "mlp.fc1"), block.fc1().outputScale());
      scales.put(NodeNames.block(i, "mlp.act"), block.gelu().outputScale());
      scales.put(NodeNames.block(i, "mlp.fc2"), block.fc2().outputScale());
      scales.put(NodeNames.block(i, "residual2"), block.residual2().outputScale());
    }
    scales.put(NodeNames.NORM, norm.outputScale());
    scales.put(NodeNames.HEAD, head.outputScale());
    return scales;
  }
}
