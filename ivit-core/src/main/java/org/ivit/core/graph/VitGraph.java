package org.ivit.core.graph;

import java.util.List;
import java.util.SortedMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.Bounds;

/**
 * A ViT or DeiT in integers, §9.
 *
 * @param architecture sizes
 * @param scheme forms, widths, outlier channels
 * @param inputScale scale of the input codes
 * @param patchEmbed linear layer over patches, input order (channel, row, column)
 * @param embed leading tokens and positions
 * @param blocks transformer blocks
 * @param norm final norm, of the leading tokens only
 * @param heads a classifier for each leading token, 32-bit logits on one scale
 */
public record VitGraph(
    Vit architecture,
    Scheme scheme,
    float inputScale,
    Linear patchEmbed,
    Embed embed,
    List<IntegerBlock> blocks,
    LayerNorm norm,
    List<Linear> heads)
    implements IntegerGraph {

  /** Checks that the nodes fit the architecture. */
  public VitGraph {
    blocks = List.copyOf(blocks);
    Vit a = architecture;
    GraphChecks.length("blocks", blocks.size(), a.depth());
    GraphChecks.linear(patchEmbed, a.patchInputs(), a.dim());
    GraphChecks.length("pos_embed", embed.position().length, (long) a.tokens() * a.dim());
    GraphChecks.length(
        "leading tokens", embed.leading().length, (long) a.leadingTokens() * a.dim());
    if (!blocks.stream().map(IntegerBlock::site).toList().equals(a.blocks())) {
      throw new InputException("blocks: those of another model");
    }
    GraphChecks.length("norm", norm.channels(), a.dim());
    heads = List.copyOf(heads);
    if (!heads.stream().map(Linear::name).toList().equals(a.classifiers())) {
      throw new InputException("heads: expected " + a.classifiers());
    }
    for (Linear head : heads) {
      GraphChecks.linear(head, a.dim(), a.classes());
      if (head.outputScale() != heads.get(0).outputScale()) {
        throw new InputException(head.name() + ": expected the scale of " + heads.get(0).name());
      }
    }
    if (heads.size() == 2) {
      Bounds.proveLogits(
          heads.get(1).name(),
          accumulators(heads.get(0)),
          heads.get(0).requantization(),
          accumulators(heads.get(1)),
          heads.get(1).requantization());
    }
  }

  private static long[] accumulators(Linear head) {
    return Bounds.accumulators(
        head.weight(), head.bias(), head.outputs(), head.inputs(), head.inputOutliers());
  }

  @Override
  public float logitScale() {
    return heads.get(0).outputScale() / heads.size();
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
    heads.forEach(scales::add);
    return scales.all();
  }
}
