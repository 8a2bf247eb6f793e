package org.ivit.core.graph;

import java.util.List;
import java.util.SortedMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Vit;

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
    GraphChecks.linear(patchEmbed, a.patchInputs(), a.dim());
    GraphChecks.length("pos_embed", embed.position().length, (long) a.tokens() * a.dim());
    GraphChecks.length("cls_token", embed.classToken().length, a.dim());
    if (!blocks.stream().map(Block::site).toList().equals(a.blocks())) {
      throw new InputException("blocks: those of another model");
    }
    GraphChecks.length("norm", norm.channels(), a.dim());
    GraphChecks.linear(head, a.dim(), a.classes());
  }

  @Override
  public float logitScale() {
    return head.outputScale();
  }

  @Override
  public SortedMap<String, Float> scales() {
    ScaleTable scales = new ScaleTable();
    scales.put(NodeNames.INPUT, inputScale);
    scales.add(patchEmbed);
    scales.put("pos_embed", embed.positionScale());
    scales.add(embed.sum());
    blocks.forEach(scales::add);
    scales.add(norm);
    scales.add(head);
    return scales.all();
  }
}
