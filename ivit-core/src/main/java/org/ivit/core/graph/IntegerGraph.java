package org.ivit.core.graph;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.scheme.Scheme;

/**
 * A model in integers: everything an engine needs, and nothing that is not a constant.
 *
 * @param architecture sizes
 * @param scheme forms, widths, outlier channels
 * @param inputScale scale of the input codes
 * @param parts the architecture's parts with their constants
 */
public record IntegerGraph(
    Architecture architecture, Scheme scheme, float inputScale, List<GraphPart> parts) {
  /** Checks that the parts are those of the architecture. */
  public IntegerGraph {
    parts = List.copyOf(parts);
    if (!parts.stream().map(GraphPart::part).toList().equals(architecture.parts())) {
      throw new InputException("parts: those of another model");
    }
    scheme.check(architecture);
  }

  /** The transformer blocks, in order of execution. */
  public List<IntegerBlock> blocks() {
    return parts.stream()
        .filter(IntegerBlock.class::isInstance)
        .map(IntegerBlock.class::cast)
        .toList();
  }

  /** The linear layers, in the order of {@link Architecture#linears}. */
  public List<Linear> linears() {
    return parts.stream().flatMap(part -> part.linears().stream()).toList();
  }

  /** The last part. */
  public IntegerHead head() {
    return (IntegerHead) parts.get(parts.size() - 1);
  }

  /** Scale of the int32 answer. */
  public float logitScale() {
    return head().outputScale();
  }

  /**
   * The scale of every node that has one, by full node name, {@code pos_embed} and the relative
   * position tables included.
   */
  public SortedMap<String, Float> scales() {
    Scales scales = new Scales();
    scales.put(Node.INPUT.name(), inputScale);
    parts.forEach(part -> part.accept(scales));
    return scales.all;
  }

  /** Collects scales by full node name. */
  private static final class Scales implements GraphVisitor<Void> {
    private final SortedMap<String, Float> all = new TreeMap<>();

    private void put(String name, float scale) {
      all.put(name, scale);
    }

    private void put(Node node, float scale) {
      put(node.name(), scale);
    }

    private void add(Linear linear) {
      put(linear.name(), linear.outputScale());
    }

    private void add(LayerNorm norm) {
      put(norm.name(), norm.outputScale());
    }

    private void add(Residual residual) {
      put(residual.name(), residual.outputScale());
    }

    @Override
    public Void stem(IntegerStem stem) {
      add(stem.projection());
      if (stem.norm() != null) {
        add(stem.norm());
      } else {
        put(Stem.POSITION, stem.embed().positionScale());
        add(stem.embed().sum());
      }
      return null;
    }

    @Override
    public Void block(IntegerBlock block) {
      Block part = block.part();
      Attention attention = block.attention();
      add(block.norm1());
      add(block.qkv());
      if (block.rotation() != null) {
        put(block.rotation().name(), block.rotation().outputScale());
      }
      put(part.scores(), attention.scoresScale());
      if (attention.position() != null) {
        put(part.positionTable(), attention.position().tableScale());
        put(part.biased(), attention.position().outputScale());
      }
      put(part.context(), attention.contextScale());
      add(block.proj());
      add(block.residual1());
      add(block.norm2());
      add(block.fc1());
      if (block.gelu() != null) {
        put(block.gelu().name(), block.gelu().outputScale());
      } else {
        add(block.value());
        put(block.gating().name(), block.gating().outputScale());
      }
      if (block.mlpNorm() != null) {
        add(block.mlpNorm());
      }
      add(block.fc2());
      add(block.residual2());
      return null;
    }

    @Override
    public Void merging(IntegerMerging merging) {
      add(merging.norm());
      add(merging.reduction());
      return null;
    }

    @Override
    public Void norm(IntegerNorm norm) {
      add(norm.norm());
      return null;
    }

    @Override
    public Void meanPooling(IntegerMeanPooling pooling) {
      put(pooling.part().output(), pooling.outputScale());
      return null;
    }

    @Override
    public Void attentionPooling(IntegerAttentionPooling pooling) {
      add(pooling.norm());
      add(pooling.scores());
      add(pooling.values());
      put(pooling.part().context(), pooling.attention().contextScale());
      add(pooling.proj());
      add(pooling.norm2());
      add(pooling.fc1());
      put(pooling.gelu().name(), pooling.gelu().outputScale());
      add(pooling.fc2());
      add(pooling.residual());
      return null;
    }

    @Override
    public Void head(IntegerHead head) {
      if (head.norm() == null) {
        return null;
      }
      add(head.norm());
      if (head.pool() != null) {
        put(head.part().pool(), head.pool().outputScale());
      }
      head.classifiers().forEach(this::add);
      return null;
    }
  }
}
