package org.ivit.core.engine.jni;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.engine.PairOrder;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.GraphPart;
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
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Rotation;
import org.ivit.core.graph.Rotation.Turns;

/**
 * Hands a graph to the native side, node by node, and its steps, as {@link StepWork} lists them.
 */
final class ModelBuilder {
  /** Beyond this, 32-bit lanes of a norm's sums could overflow. */
  private static final int MOST_CHANNELS = 1 << 16;

  /** Requantization to the same scale. */
  private static final Dyadic ONE = new Dyadic(1 << 30, 30);

  private final long model;

  /** What a native table of rotary positions is of. */
  private record Tables(Turns turns, int heads) {}

  /** Blocks share them: all of one keep a core's cache for the weights. */
  private final Map<Tables, Long> turns = new HashMap<>();

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
    for (int i = 0; i < graph.parts().size(); i++) {
      steps.intoBlock = i + 1 < graph.parts().size() && isBlock(graph.parts().get(i + 1));
      graph.parts().get(i).accept(steps);
    }
  }

  private static boolean isBlock(GraphPart part) {
    return part instanceof IntegerBlock || part instanceof IntegerAttentionPooling;
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
      return null;
    }

    @Override
    public Void meanPooling(IntegerMeanPooling pooling) {
      return null;
    }

    @Override
    public Void attentionPooling(IntegerAttentionPooling pooling) {
      add(pooling, buffer);
      return null;
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

    /** Whether a block comes next. */
    private boolean intoBlock;

    /** A block whose step waits for what follows it; null where none does. */
    private Waiting waiting;

    /** The block that comes next; 0 where another part does. */
    private long next() {
      return intoBlock ? handles.get(block) : 0;
    }

    /** Lists the step of a block before a part that reads the first {@code tokens}. */
    private void finish(int tokens, long next) {
      if (waiting != null) {
        int rows = waiting.rows.applyAsInt(tokens);
        require(waiting.name, NativeKernels.blockStep(model, rows, handles.get(block - 1), next));
      }
      waiting = null;
    }

    private void await(String name, IntUnaryOperator rows) {
      waiting = new Waiting(name, rows);
      block++;
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
                next()));
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
              next()));
    }

    @Override
    public Void block(IntegerBlock next) {
      Block part = next.part();
      finish(part.tokens(), handles.get(block));
      await(part.name(), read -> StepWork.rows(part, read));
      return null;
    }

    @Override
    public Void merging(IntegerMerging merging) {
      Merging part = merging.part();
      finish(part.tokens(), 0);
      buffer = 1 - buffer;
      require(
          merging.reduction().name(),
          NativeKernels.mergeStep(
              model,
              part.outputTokens(),
              part.dim(),
              part.resolution().width(),
              buffer,
              layerNorm(merging.norm()),
              linear(merging.reduction(), false),
              next()));
      return null;
    }

    @Override
    public Void norm(IntegerNorm norm) {
      Norm part = norm.part();
      finish(part.tokens(), 0);
      require(
          part.name(),
          NativeKernels.normStep(
              model, part.tokens(), part.dim(), buffer, layerNorm(norm.norm()), next()));
      return null;
    }

    @Override
    public Void meanPooling(IntegerMeanPooling pooling) {
      MeanPooling part = pooling.part();
      finish(part.tokens(), 0);
      Dyadic mean = pooling.pool().multiplier();
      require(
          part.output().name(),
          NativeKernels.meanStep(
              model,
              part.dim(),
              buffer,
              part.tokens(),
              part.leading(),
              mean.multiplier(),
              mean.shift()));
      return null;
    }

    @Override
    public Void attentionPooling(IntegerAttentionPooling pooling) {
      finish(pooling.part().tokens(), handles.get(block));
      await(pooling.part().output().name(), read -> 1);
      return null;
    }

    @Override
    public Void head(IntegerHead head) {
      Head part = head.part();
      finish(part.readTokens(), 0);
      if (head.norm() == null) {
        require("head", NativeKernels.firstTokenStep(model, part.dim(), buffer));
        return null;
      }
      long norm = layerNorm(head.norm());
      for (int i = 0; i < StepWork.tokenClassifiers(part); i++) {
        Linear classifier = head.classifiers().get(i);
        long handle = linear(classifier, true);
        require(
            classifier.name(), NativeKernels.headStep(model, part.dim(), buffer, i, norm, handle));
      }
      if (part.pooled()) {
        poolHead(head, norm);
      }
      return null;
    }

    private void poolHead(IntegerHead head, long norm) {
      Head part = head.part();
      require(
          head.norm().name(),
          NativeKernels.normCodesStep(
              model, part.pooledTokens(), part.dim(), buffer, part.leadingTokens(), norm));
      Dyadic mean = head.pool() == null ? ONE : head.pool().multiplier();
      int before = StepWork.tokenClassifiers(part);
      long classifier = head.pool() == null ? 0 : linear(head.classifiers().get(before), true);
      require(
          part.output().name(),
          NativeKernels.poolHeadStep(
              model,
              part.dim(),
              part.pooledTokens(),
              mean.multiplier(),
              mean.shift(),
              before > 0,
              classifier));
    }
  }

  /**
   * A block whose step is not listed yet.
   *
   * @param rows how many it finishes where the first ones of so many tokens are read
   */
  private record Waiting(String name, IntUnaryOperator rows) {}

  private void add(IntegerBlock block, int tokensIn) {
    Block site = block.part();
    Rotation rotation = block.rotation();
    Linear qkv =
        rotation == null ? block.qkv() : PairOrder.neighbours(rotation.turns()).of(block.qkv());
    long[] nodes = {
      layerNorm(block.norm1()),
      linear(qkv, false),
      rotation == null ? 0 : rotation(rotation, site.heads()),
      attention(block.attention(), site),
      linear(block.proj(), false),
      layerNorm(block.norm2()),
      linear(block.fc1(), false),
      block.gelu() == null ? 0 : gelu(block.gelu(), site.hidden()),
      block.value() == null ? 0 : linear(block.value(), false),
      block.gating() == null ? 0 : gating(block.gating()),
      block.mlpNorm() == null ? 0 : layerNorm(block.mlpNorm()),
      linear(block.fc2(), false)
    };
    long handle =
        NativeKernels.block(
            model,
            site.dim(),
            site.hidden(),
            site.tokens(),
            site.inOrder() ? null : site.windows().order(),
            site.inOrder() ? null : site.windows().places(),
            tokensIn,
            handles.size() % 2,
            nodes,
            joined(adder(block.residual1()), adder(block.residual2())));
    handles.add(require(site.name(), handle));
  }

  private void add(IntegerAttentionPooling pooling, int tokensIn) {
    AttentionPooling site = pooling.part();
    long[] nodes = {
      layerNorm(pooling.norm()),
      linear(valuesAndScores(pooling), false),
      0,
      queryAttention(pooling.attention(), site),
      linear(pooling.proj(), false),
      layerNorm(pooling.norm2()),
      linear(pooling.fc1(), false),
      gelu(pooling.gelu(), site.hidden()),
      0,
      0,
      0,
      linear(pooling.fc2(), false)
    };
    int[] asItIs = {ONE.multiplier(), ONE.shift(), ONE.multiplier(), ONE.shift()};
    long handle =
        NativeKernels.block(
            model,
            site.dim(),
            site.hidden(),
            site.tokens(),
            null,
            null,
            tokensIn,
            handles.size() % 2,
            nodes,
            joined(asItIs, adder(pooling.residual())));
    handles.add(require(site.output().name(), handle));
  }

  /** Both products of an attention pooling as one, whose outputs lie side by side. */
  private static Linear valuesAndScores(IntegerAttentionPooling pooling) {
    Linear values = pooling.values();
    Linear scores = pooling.scores();
    DyadicVector first = values.requantization();
    DyadicVector second = scores.requantization();
    return new Linear(
        values.name(),
        values.inputs(),
        values.outputs() + scores.outputs(),
        joined(values.weight(), scores.weight()),
        joined(values.bias(), scores.bias()),
        values.inputOutliers(),
        new DyadicVector(
            joined(first.multiplier(), second.multiplier()), joined(first.shift(), second.shift())),
        values.bits(),
        values.outputScale());
  }

  private static int[] joined(int[] first, int[] second) {
    int[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private long linear(Linear linear, boolean logits) {
    NativeWeights weights = NativeWeights.of(linear.codes());
    return require(
        linear.name(),
        NativeKernels.linear(
            model,
            weights.weight(),
            weights.table(),
            weights.groupMultiplier(),
            weights.bits(),
            weights.groupShift(),
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
            norm.constants().shift(),
            norm.constants().epsilon()));
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

  private long gating(Gating gating) {
    return require(
        gating.name(),
        NativeKernels.gating(
            model, gating.table(), gating.product().multiplier(), gating.product().shift()));
  }

  private long rotation(Rotation rotation, int heads) {
    long handle =
        turns.computeIfAbsent(
            new Tables(rotation.turns(), heads), tables -> tables(rotation.name(), tables));
    Dyadic requantization = rotation.requantization();
    return require(
        rotation.name(),
        NativeKernels.rotation(model, handle, requantization.multiplier(), requantization.shift()));
  }

  private long tables(String node, Tables tables) {
    Turns table = tables.turns();
    PairOrder order = PairOrder.neighbours(table);
    return require(
        node,
        NativeKernels.turns(
            model, order.of(table.cos()), order.of(table.sin()), tables.heads(), table.headDim()));
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
              biases(position),
              site.windows().window().height(),
              site.windows().window().width(),
              site.windows().leadingTokens(),
              masks(site.windows()),
              site.windows().count()));
    }
    return handle;
  }

  private static int[] biases(PositionBias position) {
    int[] biases = new int[position.table().length];
    Arrays.setAll(biases, i -> (int) position.position().apply(position.table()[i]));
    return biases;
  }

  private long queryAttention(QueryAttention attention, AttentionPooling site) {
    SoftmaxTable softmax = attention.softmax();
    return require(
        site.context().name(),
        NativeKernels.queryAttention(
            model,
            attention.heads(),
            attention.headDim(),
            site.tokens(),
            softmax.exponentials(),
            softmax.rounding(),
            softmax.bits(),
            softmax.deferred(),
            attention.context().multiplier(),
            attention.context().shift()));
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
