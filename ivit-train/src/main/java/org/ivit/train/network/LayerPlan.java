package org.ivit.train.network;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.train.layer.OperatorLayer;
import org.ivit.train.layer.PartLayer;
import org.ivit.train.parameter.PartSpec;

/**
 * One layer of the chain that a network is.
 *
 * @param name in Deeplearning4j's graph
 * @param prefix of its parameters' timm names
 * @param layer its configuration
 */
record LayerPlan(String name, String prefix, OperatorLayer layer) {
  /** The layers of a network, in order. */
  static List<LayerPlan> of(NetworkOptions options) {
    List<LayerPlan> plans = new ArrayList<>();
    Names names = new Names();
    for (PartSpec spec :
        PartSpec.of(options.architecture(), options.stochasticDepth(), options.grids())) {
      String name = spec.part().accept(names);
      plans.add(new LayerPlan(name, spec.prefix(), new PartLayer(spec, options.scheme())));
    }
    return plans;
  }

  /** Numbers parts of a kind of which there may be several. */
  private static final class Names implements PartVisitor<String> {
    private int blocks;
    private int mergings;
    private int norms;
    private int poolings;

    @Override
    public String stem(Stem stem) {
      return "embedding";
    }

    @Override
    public String block(Block block) {
      return "block" + blocks++;
    }

    @Override
    public String merging(Merging merging) {
      return "merging" + mergings++;
    }

    @Override
    public String norm(Norm norm) {
      return "norm" + norms++;
    }

    @Override
    public String meanPooling(MeanPooling pooling) {
      return "pooling" + poolings++;
    }

    @Override
    public String attentionPooling(AttentionPooling pooling) {
      return "pooling" + poolings++;
    }

    @Override
    public String head(Head head) {
      return "head";
    }
  }
}
