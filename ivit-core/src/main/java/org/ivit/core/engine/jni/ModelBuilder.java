package org.ivit.core.engine.jni;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.GraphVisitor;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.IntegerMeanPooling;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.IntegerStem;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.Residual;

/**
 * Hands a graph to the native side, node by node, and its steps, as {@link StepWork} lists them.
 */
final class ModelBuilder {
  /** Beyond this, 32-bit lanes of a norm's sums could overflow. */
  private static final int MOST_CHANNELS = 1 << 16;

  private final long model;

  /** Native blocks in the order of execution. */
  private final List<Long> handles = new ArrayList<>();

  /**
   * @param model a new model; its owner frees it, whatever happens
   */
  ModelBuilder(long model) {
    this.model = model;
  }

  /**
   * Fills the model.
   *
   * @throws RefusedGraphException if the kernels cannot hold a node
   */
  void build(IntegerGraph graph) {
    // A step runs into the block after it, so blocks come first.
    Blocks all = new Blocks();
    graph.parts().forEach(part -> part.accept(all));
    Steps steps = new Steps();
    graph.parts().forEach(part -> part.accept(steps));
  }

  /** Hands over the blocks. */
  private final class Blocks implements GraphVisitor<Void> {
    /** Which of two buffers the tokens lie in; a merging reads one and writes the other. */
    private int buffer;

    @Override
    public Void stem(IntegerStem stem) {
      return null;
    }

    @Override
    public Void block(IntegerBlock block) {
      add(block, buffer);
      return null;
    }

    @Override
    public Void merging(IntegerMerging merging) {
      buffer = 1 - buffer;
      return null;
    }

    @Override
    public Void norm(IntegerNorm norm) {
      throw new UnsupportedOperationException("Norm");
    }

    @Override
    public Void meanPooling(IntegerMeanPooling pooling) {
      throw new UnsupportedOperationException("MeanPooling");
    }

    @Override
    public Void attentionPooling(IntegerAttentionPooling pooling) {
      throw new UnsupportedOperationException("AttentionPooling");
    }

    @Override
    public Void head(IntegerHead head) {
      return null;
    }
  }

  /** Lists the steps. */
  private final class Steps implements GraphVisitor<Void> {
    private int buffer;
    private int block;

    /** A block whose step waits for what follows it; null where none does. */
    private Block waiting;

    private long nextBlock() {
      return handles.get(block);
    }

    private void finish(long next, int count) {
      if (waiting != null) {
        boolean done = NativeKernels.blockStep(model, count, handles.get(block - 1), next);
        require(waiting.name(), done);
      }
      waiting = null;
    }

    @Override
    public Void stem(IntegerStem stem) {
      Stem part = stem.part();
      long projection = linear(stem.projection(), false);
      if (stem.norm() != null) {
        require(
            stem.norm().name(),
            NativeKernels.patchNormStep(
                model,
                part.outputTokens(),
                part.dim(),
                projection,
                layerNorm(stem.norm()),
                nextBlock()));
      } else {
        embed(part, stem.embed(), projection);
      }
      return null;
    }

    private void embed(Stem part, Embed embed, long projection) {
      short[] constants = embed.constants();
      short[] positions =
          Arrays.copyOfRange(embed.position(), constants.length, embed.position().length);
      require(
          embed.sum().name(),
          NativeKernels.embedStep(
              model,
              part.outputTokens(),
              part.dim(),
              projection,
              adder(embed.sum()),
              part.leadingTokens(),
              constants,
              positions,
              nextBlock()));
    }

    @Override
    public Void block(IntegerBlock next) {
      finish(nextBlock(), next.part().tokens());
      waiting = next.part();
      block++;
      return null;
    }

    @Override
    public Void merging(IntegerMerging merging) {
      Merging part = merging.part();
      finish(0, part.tokens());
      buffer = 1 - buffer;
      require(
          merging.reduction().name(),
          NativeKernels.mergeStep(
              model,
              part.outputTokens(),
              part.dim(),
              part.resolution().side(),
              layerNorm(merging.norm()),
              linear(merging.reduction(), false),
              nextBlock()));
      return null;
    }

    @Override
    public Void norm(IntegerNorm norm) {
      throw new UnsupportedOperationException("Norm");
    }

    @Override
    public Void meanPooling(IntegerMeanPooling pooling) {
      throw new UnsupportedOperationException("MeanPooling");
    }

    @Override
    public Void attentionPooling(IntegerAttentionPooling pooling) {
      throw new UnsupportedOperationException("AttentionPooling");
    }

    @Override
    public Void head(IntegerHead head) {
      Head part = head.part();
      finish(0, part.readTokens());
      long norm = layerNorm(head.norm());
      for (int i = 0; i < head.classifiers().size(); i++) {
        Linear classifier = head.classifiers().get(i);
        long handle = linear(classifier, true);
        require(
            classifier.name(),
            head.pool() != null
                ? poolHead(part, head.pool(), norm, handle)
                : NativeKernels.headStep(model, part.dim(), buffer, i, norm, handle));
      }
      return null;
    }

    private boolean poolHead(Head part, Pool pool, long norm, long classifier) {
      Dyadic mean = pool.multiplier();
      return NativeKernels.poolHeadStep(
          model,
          part.dim(),
          buffer,
          norm,
          part.tokens(),
          mean.multiplier(),
          mean.shift(),
          classifier);
    }
  }

  private void add(IntegerBlock block, int tokensIn) {
    Block site = block.part();
    Windows windows = site.windows();
    long[] nodes = {
      layerNorm(block.norm1()),
      linear(block.qkv(), false),
      attention(block.attention(), site),
      linear(block.proj(), false),
      layerNorm(block.norm2()),
      linear(block.fc1(), false),
      gelu(block.gelu(), site.hidden()),
      linear(block.fc2(), false)
    };
    int[] first = adder(block.residual1());
    int[] second = adder(block.residual2());
    int[] residuals = new int[8];
    System.arraycopy(first, 0, residuals, 0, 4);
    System.arraycopy(second, 0, residuals, 4, 4);
    long handle =
        NativeKernels.block(
            model,
            site.dim(),
            site.hidden(),
            site.tokens(),
            windows == null ? null : windows.order(),
            windows == null ? null : windows.places(),
            tokensIn,
            handles.size() % 2,
            nodes,
            residuals);
    handles.add(require(site.name(), handle));
  }

  private long linear(Linear linear, boolean logits) {
    return require(
        linear.name(),
        NativeKernels.linear(
            model,
            linear.weight(),
            linear.inputs(),
            linear.outputs(),
            linear.bias(),
            linear.inputOutliers().channels(),
            linear.inputOutliers().shift(),
            linear.requantization().multiplier(),
            linear.requantization().shift(),
            logits));
  }

  private long layerNorm(LayerNorm norm) {
    if (norm.channels() > MOST_CHANNELS) {
      throw new RefusedGraphException(
          norm.name() + ": " + norm.channels() + " channels, expected at most " + MOST_CHANNELS);
    }
    return require(
        norm.name(),
        NativeKernels.norm(
            model,
            norm.constants().multiplier(),
            norm.constants().offset(),
            norm.constants().shift()));
  }

  private static int[] adder(Residual residual) {
    return new int[] {
      residual.branch().multiplier(),
      residual.branch().shift(),
      residual.identity().multiplier(),
      residual.identity().shift()
    };
  }

  private long gelu(Gelu gelu, int channels) {
    boolean byRow = gelu instanceof GeluRow;
    byte[] outlierTable = gelu instanceof GeluTable table ? table.outlierTable() : new byte[0];
    return require(
        gelu.name(),
        NativeKernels.gelu(
            model,
            byRow,
            byRow ? ((GeluRow) gelu).tables() : ((GeluTable) gelu).table(),
            outlierTable,
            gelu.outputOutliers().channels(),
            channels));
  }

  private long attention(Attention attention, Block site) {
    SoftmaxTable softmax = attention.softmax();
    long handle =
        require(
            attention.name(),
            NativeKernels.attention(
                model,
                attention.heads(),
                attention.headDim(),
                site.rowTokens(),
                attention.scores().multiplier(),
                attention.scores().shift(),
                softmax.exponentials(),
                softmax.rounding(),
                softmax.bits(),
                softmax.deferred(),
                attention.context().multiplier(),
                attention.context().shift()));
    if (site.windows() != null) {
      PositionBias position = attention.position();
      require(
          position.name(),
          NativeKernels.window(
              model,
              handle,
              position.scores(),
              position.biases(site.windows()),
              masks(site.windows()),
              site.windows().count()));
    }
    return handle;
  }

  /** A bit a masked key, [windows][query][words of 64 keys]. */
  private static long[] masks(Windows windows) {
    int tokens = windows.tokens();
    int words = (tokens + 63) / 64;
    long[] bits = new long[windows.count() * tokens * words];
    for (int window = 0; window < windows.count(); window++) {
      boolean[] mask = windows.mask(window);
      for (int i = 0; mask != null && i < mask.length; i++) {
        if (mask[i]) {
          int row = (window * tokens + i / tokens) * words;
          int key = i % tokens;
          bits[row + key / 64] |= 1L << (key % 64);
        }
      }
    }
    return bits;
  }

  private long require(String node, long handle) {
    require(node, handle != 0);
    return handle;
  }

  private void require(String node, boolean done) {
    if (!done) {
      if (!NativeKernels.whole(model)) {
        throw new OutOfMemoryError("native kernels: no memory for " + node);
      }
      throw new RefusedGraphException(node + ": a ratio of scales is too large");
    }
  }
}
