package org.ivit.core.engine.jni;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.SwinGraph;
import org.ivit.core.graph.SwinStage;
import org.ivit.core.graph.VitGraph;

/** Hands a graph to the native side, node by node, and lists its steps. */
final class ModelBuilder {
  /** Beyond this, 32-bit lanes of a norm's sums could overflow. */
  private static final int MOST_CHANNELS = 1 << 16;

  private final long model;
  private final List<Integer> rows = new ArrayList<>();

  /** Blocks in the order of execution, with the buffer that each one's tokens lie in. */
  private final List<IntegerBlock> blocks = new ArrayList<>();

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
   * @return rows of each step
   * @throws RefusedGraphException if the kernels cannot hold a node
   */
  int[] build(IntegerGraph graph) throws RefusedGraphException {
    if (graph instanceof SwinGraph swin) {
      swin(swin);
    } else {
      vit((VitGraph) graph);
    }
    return rows.stream().mapToInt(Integer::intValue).toArray();
  }

  private void vit(VitGraph graph) throws RefusedGraphException {
    Vit a = graph.architecture();
    for (IntegerBlock block : graph.blocks()) {
      add(block, 0);
    }
    Embed embed = graph.embed();
    int leading = a.leadingTokens();
    short[] constants = new short[leading * a.dim()];
    for (int i = 0; i < constants.length; i++) {
      constants[i] = embed.sum().add(embed.leading()[i], embed.position()[i]);
    }
    short[] positions = new short[a.patches() * a.dim()];
    System.arraycopy(embed.position(), constants.length, positions, 0, positions.length);
    require(
        embed.sum().name(),
        NativeKernels.embedStep(
            model,
            a.tokens(),
            a.dim(),
            linear(graph.patchEmbed(), false),
            adder(embed.sum()),
            leading,
            constants,
            positions,
            handles.get(0)));
    rows.add(a.tokens());
    // Of the last block only the tokens that the head reads are needed.
    blockSteps(0, blocks.size(), leading);
    long norm = norm(graph.norm());
    for (int i = 0; i < leading; i++) {
      Linear head = graph.heads().get(i);
      require(head.name(), NativeKernels.headStep(model, a.dim(), i, norm, linear(head, true)));
      rows.add(1);
    }
  }

  private void swin(SwinGraph graph) throws RefusedGraphException {
    Swin a = graph.architecture();
    List<Swin.Stage> sites = a.stages();
    for (int i = 0; i < sites.size(); i++) {
      for (IntegerBlock block : graph.stages().get(i).blocks()) {
        add(block, i % 2);
      }
    }
    int first = 0;
    for (int i = 0; i < sites.size(); i++) {
      Swin.Stage site = sites.get(i);
      long next = handles.get(first);
      if (i == 0) {
        require(
            graph.patchNorm().name(),
            NativeKernels.patchNormStep(
                model,
                site.tokens(),
                site.dim(),
                linear(graph.patchEmbed(), false),
                norm(graph.patchNorm()),
                next));
      } else {
        merge(sites.get(i - 1), graph.stages().get(i - 1), next);
      }
      rows.add(site.tokens());
      int after = first + site.blocks().size();
      blockSteps(first, after, site.tokens());
      first = after;
    }
    Swin.Stage last = sites.get(sites.size() - 1);
    Dyadic pool = graph.pool().multiplier();
    require(
        graph.head().name(),
        NativeKernels.poolHeadStep(
            model,
            last.dim(),
            (sites.size() - 1) % 2,
            norm(graph.norm()),
            last.tokens(),
            pool.multiplier(),
            pool.shift(),
            linear(graph.head(), true)));
    rows.add(1);
  }

  private void merge(Swin.Stage site, SwinStage stage, long next) throws RefusedGraphException {
    require(
        site.reduction(),
        NativeKernels.mergeStep(
            model,
            site.tokens() / 4,
            site.dim(),
            site.resolution(),
            norm(stage.merging().norm()),
            linear(stage.merging().reduction(), false),
            next));
  }

  /** Steps of blocks that follow each other; the last one has {@code lastRows} rows. */
  private void blockSteps(int first, int after, int lastRows) throws RefusedGraphException {
    for (int i = first; i < after; i++) {
      boolean last = i + 1 == after;
      Block site = blocks.get(i).site();
      int count = last ? lastRows : site.tokens();
      long next = last ? 0 : handles.get(i + 1);
      require(site.name(), NativeKernels.blockStep(model, count, handles.get(i), next));
      rows.add(count);
    }
  }

  private void add(IntegerBlock block, int tokensIn) throws RefusedGraphException {
    Block site = block.site();
    Windows windows = site.windows();
    long[] nodes = {
      norm(block.norm1()),
      linear(block.qkv(), false),
      attention(block.attention(), site),
      linear(block.proj(), false),
      norm(block.norm2()),
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
            blocks.size() % 2,
            nodes,
            residuals);
    blocks.add(block);
    handles.add(require(site.name(), handle));
  }

  private long linear(Linear linear, boolean logits) throws RefusedGraphException {
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

  private long norm(LayerNorm norm) throws RefusedGraphException {
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

  private long gelu(Gelu gelu, int channels) throws RefusedGraphException {
    boolean byRow = gelu instanceof GeluRow;
    byte[] outlierTable = gelu instanceof GeluTable table ? table.outlierTable() : new byte[0];
    return require(
        gelu.name(),
        NativeKernels.gelu(
            model,
            byRow,
            byRow ? tables((GeluRow) gelu) : ((GeluTable) gelu).table(),
            outlierTable,
            gelu.outputOutliers().channels(),
            channels));
  }

  private static byte[] tables(GeluRow gelu) {
    byte[] tables = new byte[ShiftGelu.SIZE * ShiftGelu.SIZE];
    for (int max = -128; max < 128; max++) {
      for (int x = -128; x <= max; x++) {
        tables[ShiftGelu.rowIndex(max, x)] = gelu.apply(x, max);
      }
    }
    return tables;
  }

  private long attention(Attention attention, Block site) throws RefusedGraphException {
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
      WindowConstants window = new WindowConstants(attention.position(), site.windows());
      PositionBias position = attention.position();
      require(
          position.name(),
          NativeKernels.window(
              model,
              handle,
              window.scores(),
              window.biases(),
              window.masks(),
              site.windows().count()));
    }
    return handle;
  }

  private long require(String node, long handle) throws RefusedGraphException {
    require(node, handle != 0);
    return handle;
  }

  private void require(String node, boolean done) throws RefusedGraphException {
    if (!done) {
      if (!NativeKernels.whole(model)) {
        throw new OutOfMemoryError("native kernels: no memory for " + node);
      }
      throw new RefusedGraphException(node + ": a ratio of scales is too large");
    }
  }
}
