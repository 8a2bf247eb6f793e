package org.ivit.core.engine;

import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;

/**
 * Multiply-adds of a picture as the CPU engine takes them, without padding: where the head reads
 * the leading tokens only, the last block goes on with these alone behind its keys and values.
 *
 * @param layers of products with weights
 * @param attention of scores and contexts
 */
record MultiplyAdds(long layers, long attention) {
  static MultiplyAdds of(Architecture architecture) {
    Counter counter = new Counter(architecture);
    for (Part part : architecture.parts()) {
      part.accept(counter);
    }
    return new MultiplyAdds(counter.layers, counter.attention);
  }

  private static final class Counter implements PartVisitor<Void> {
    private final Block last;
    private final int readByHead;
    private long layers;
    private long attention;

    Counter(Architecture architecture) {
      last = architecture.blocks().get(architecture.blocks().size() - 1);
      readByHead = architecture.parts().get(architecture.parts().indexOf(last) + 1).readTokens();
    }

    private void layer(LinearSpec linear, long rows) {
      layers += rows * linear.inputs() * linear.outputs();
    }

    @Override
    public Void stem(Stem stem) {
      layer(stem.projection(), stem.patches());
      return null;
    }

    @Override
    public Void block(Block block) {
      long rows = block.equals(last) ? readByHead : block.tokens();
      layer(block.qkvLinear(), block.tokens());
      layer(block.projLinear(), rows);
      layer(block.fc1Linear(), rows);
      if (block.gated()) {
        layer(block.valueLinear(), rows);
      }
      layer(block.fc2Linear(), rows);
      attention += 2 * rows * block.rowTokens() * block.dim();
      return null;
    }

    @Override
    public Void merging(Merging merging) {
      layer(merging.reduction(), merging.outputTokens());
      return null;
    }

    @Override
    public Void norm(Norm norm) {
      return null;
    }

    @Override
    public Void meanPooling(MeanPooling pooling) {
      return null;
    }

    @Override
    public Void attentionPooling(AttentionPooling pooling) {
      layer(pooling.scoresLinear(), pooling.tokens());
      layer(pooling.valuesLinear(), pooling.tokens());
      layer(pooling.projLinear(), 1);
      layer(pooling.fc1Linear(), 1);
      layer(pooling.fc2Linear(), 1);
      attention += (long) pooling.tokens() * pooling.dim();
      return null;
    }

    @Override
    public Void head(Head head) {
      head.linears().forEach(linear -> layer(linear, 1));
      return null;
    }
  }
}
