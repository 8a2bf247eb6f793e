package org.ivit.core.graph;

import java.util.List;
import java.util.SortedMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;

/**
 * A Swin in integers, §7.
 *
 * @param architecture sizes
 * @param scheme forms, widths, outlier channels
 * @param inputScale scale of the input codes
 * @param patchEmbed linear layer over patches, input order (channel, row, column), 8-bit codes
 * @param patchNorm norm of the patches, 16-bit codes
 * @param stages blocks and mergings
 * @param norm final norm, of all tokens
 * @param pool mean over all tokens
 * @param head classifier, 32-bit logits
 */
public record SwinGraph(
    Swin architecture,
    Scheme scheme,
    float inputScale,
    Linear patchEmbed,
    LayerNorm patchNorm,
    List<SwinStage> stages,
    LayerNorm norm,
    Pool pool,
    Linear head)
    implements IntegerGraph {
  /** Checks that the nodes fit the architecture. */
  public SwinGraph {
    stages = List.copyOf(stages);
    Swin a = architecture;
    GraphChecks.linear(patchEmbed, a.patchInputs(), a.dim());
    GraphChecks.length(patchNorm.name(), patchNorm.channels(), a.dim());
    List<Swin.Stage> sites = a.stages();
    GraphChecks.length("layers", stages.size(), sites.size());
    for (int i = 0; i < sites.size(); i++) {
      checkStage(sites.get(i), stages.get(i));
    }
    GraphChecks.length("norm", norm.channels(), a.features());
    if (!norm.outputOutliers().isEmpty()) {
      throw new InputException(
          "outlier channels of norm: expected none, it feeds the pool of a Swin");
    }
    GraphChecks.length("pool tokens", pool.tokens(), a.pooledTokens());
    GraphChecks.linear(head, a.features(), a.classes());
  }

  private static void checkStage(Swin.Stage site, SwinStage stage) {
    List<Block> found = stage.blocks().stream().map(IntegerBlock::site).toList();
    if (!found.equals(site.blocks()) || (stage.merging() != null) != site.merges()) {
      throw new InputException("layers." + site.index() + ": blocks or merging of another model");
    }
    if (site.merges()) {
      GraphChecks.length(site.mergeNorm(), stage.merging().norm().channels(), 4L * site.dim());
      GraphChecks.linear(stage.merging().reduction(), 4 * site.dim(), 2 * site.dim());
    }
  }

  @Override
  public List<Linear> heads() {
    return List.of(head);
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
    scales.add(patchNorm);
    for (SwinStage stage : stages) {
      stage.blocks().forEach(scales::add);
      if (stage.merging() != null) {
        scales.add(stage.merging().norm());
        scales.add(stage.merging().reduction());
      }
    }
    scales.add(norm);
    scales.put(NodeNames.POOL, pool.outputScale());
    scales.add(head);
    return scales.all();
  }
}
