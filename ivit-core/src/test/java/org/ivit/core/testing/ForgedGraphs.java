package org.ivit.core.testing;

import java.util.Random;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
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
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/**
 * Graphs whose constants no training would give: weights at the ends of their range or on the
 * bounds of sums in 16 bits, biases up to the proved bound, multipliers of every size and sign of
 * rounding, tables without order.
 */
public final class ForgedGraphs implements GraphVisitor<GraphPart> {
  private final Random random;
  private final boolean fewerBits;

  /**
   * @param seed same seed, same integers
   */
  public ForgedGraphs(long seed) {
    this(seed, false);
  }

  private ForgedGraphs(long seed, boolean fewerBits) {
    random = new Random(seed);
    this.fewerBits = fewerBits;
  }

  /**
   * Graphs whose weights, in most layers, are indices of {@link RandomGrids}.
   *
   * @param seed same seed, same integers
   */
  public static ForgedGraphs ofFewerBits(long seed) {
    return new ForgedGraphs(seed, true);
  }

  /** The same shapes, forms and outlier channels with other integers. */
  public IntegerGraph of(IntegerGraph graph) {
    return new IntegerGraph(
        graph.architecture(),
        graph.scheme(),
        graph.inputScale(),
        graph.parts().stream().map(part -> part.accept(this)).toList());
  }

  @Override
  public GraphPart stem(IntegerStem s) {
    Linear projection = linear(s.projection());
    if (s.norm() != null) {
      return new IntegerStem(s.part(), projection, null, norm(s.norm()));
    }
    Embed e = s.embed();
    short[] positions = e.position().clone();
    for (int i = 0; i < positions.length; i++) {
      positions[i] = (short) extreme(16);
    }
    Embed embed = new Embed(e.leading(), positions, e.positionScale(), residual(e.sum()));
    return new IntegerStem(s.part(), projection, embed, null);
  }

  @Override
  public GraphPart merging(IntegerMerging m) {
    return new IntegerMerging(m.part(), norm(m.norm()), linear(m.reduction()));
  }

  @Override
  public GraphPart head(IntegerHead h) {
    return new IntegerHead(
        h.part(),
        h.norm() == null ? null : norm(h.norm()),
        h.pool(),
        h.classifiers().stream().map(this::linear).toList(),
        h.tokenScale());
  }

  @Override
  public GraphPart norm(IntegerNorm n) {
    return new IntegerNorm(n.part(), norm(n.norm()));
  }

  @Override
  public GraphPart meanPooling(IntegerMeanPooling p) {
    return p;
  }

  @Override
  public GraphPart attentionPooling(IntegerAttentionPooling p) {
    QueryAttention a = p.attention();
    return new IntegerAttentionPooling(
        p.part(),
        norm(p.norm()),
        linear(p.scores()),
        linear(p.values()),
        new QueryAttention(
            a.heads(),
            a.headDim(),
            a.softmax(),
            a.context(),
            a.contextOutliers(),
            a.contextScale()),
        linear(p.proj()),
        norm(p.norm2()),
        linear(p.fc1()),
        gelu(p.gelu()),
        linear(p.fc2()),
        residual(p.residual()));
  }

  @Override
  public GraphPart block(IntegerBlock b) {
    return new IntegerBlock(
        b.part(),
        norm(b.norm1()),
        linear(b.qkv()),
        b.rotation() == null ? null : rotation(b.rotation()),
        attention(b.attention()),
        linear(b.proj()),
        residual(b.residual1()),
        norm(b.norm2()),
        linear(b.fc1()),
        b.gelu() == null ? null : gelu(b.gelu()),
        b.value() == null ? null : linear(b.value()),
        b.gating() == null ? null : gating(b.gating()),
        b.mlpNorm() == null ? null : norm(b.mlpNorm()),
        linear(b.fc2()),
        residual(b.residual2()));
  }

  private Rotation rotation(Rotation r) {
    return new Rotation(r.name(), r.turns(), dyadic(0, 9), r.outputScale());
  }

  private Gating gating(Gating g) {
    short[] table = new short[g.table().length];
    for (int i = 0; i < table.length; i++) {
      table[i] = (short) extreme(16);
    }
    return new Gating(
        g.name(),
        table,
        multipliers(g.product().size(), 9),
        g.outputOutliers(),
        g.bits(),
        g.outputScale());
  }

  private Linear linear(Linear l) {
    byte[] weight = new byte[l.weight().length];
    if (random.nextBoolean()) {
      for (int i = 0; i < weight.length; i++) {
        weight[i] = (byte) extreme(8);
      }
    } else {
      onTheBound(weight);
    }
    WeightGrid grid =
        fewerBits && random.nextInt(6) > 0 ? RandomGrids.of(random, l.outputs(), l.inputs()) : null;
    snap(grid, l, weight);
    int[] bias = new int[l.outputs()];
    for (int c = 0; c < bias.length; c++) {
      shrinkUntilProved(l, grid, weight, c);
      long used = Bounds.accumulator(weight, c * l.inputs(), l.inputs(), 0, l.inputOutliers());
      long room = (1L << 31) - 1 - used;
      long most = random.nextBoolean() ? room : Math.min(room, used);
      bias[c] = (int) (random.nextBoolean() ? most : (long) (random.nextDouble() * most));
      bias[c] = random.nextBoolean() ? bias[c] : -bias[c];
    }
    return new Linear(
        l.name(),
        l.inputs(),
        l.outputs(),
        WeightCodes.of(grid, weight, l.outputs()),
        bias,
        l.inputOutliers(),
        multipliers(l.outputs(), l.bits() == 32 ? 34 : 9),
        l.bits(),
        l.outputScale());
  }

  /**
   * Each two neighbours on a bound of {@code docs/arithmetic.md#sixteen-bits-that-hold}, or one
   * beyond it: alone, or together with a pair like it.
   */
  private void onTheBound(byte[] weight) {
    int[] sums = {63, 64, 65, 126, 127, 128, 129, 254, 255, 256};
    for (int i = 0; i < weight.length; i += 2) {
      int sum = sums[random.nextInt(sums.length)];
      int first = Math.max(sum - 128, random.nextInt(Math.min(sum, 127) + 1));
      int second = sum - first;
      weight[i] = (byte) (random.nextBoolean() ? Math.min(first, 127) : -first);
      if (i + 1 < weight.length) {
        weight[i + 1] = (byte) (random.nextBoolean() ? Math.min(second, 127) : -second);
      }
    }
  }

  private static void snap(WeightGrid grid, Linear l, byte[] weight) {
    for (int i = 0; i < weight.length; i++) {
      weight[i] = onGrid(grid, i / l.inputs(), i % l.inputs(), weight[i]);
    }
  }

  private static byte onGrid(WeightGrid grid, int output, int input, int code) {
    return (byte)
        (grid == null ? code : grid.code(output, input, grid.nearest(output, input, code)));
  }

  /** Outliers with a large shift may not have large weights. */
  private static void shrinkUntilProved(Linear l, WeightGrid grid, byte[] weight, int c) {
    int from = c * l.inputs();
    while (Bounds.accumulator(weight, from, l.inputs(), 0, l.inputOutliers()) >= 1L << 31) {
      for (int k : l.inputOutliers().channels()) {
        weight[from + k] = onGrid(grid, c, k, weight[from + k] / 2);
      }
    }
  }

  private DyadicVector multipliers(int n, int leastShift) {
    int[] m = new int[n];
    byte[] e = new byte[n];
    // Within a layer most are alike, as they are in a model; some are not.
    int usual = leastShift + random.nextInt(63 - leastShift);
    for (int c = 0; c < n; c++) {
      Dyadic d = dyadic(random.nextInt(8) == 0 ? 0 : usual, leastShift);
      m[c] = d.multiplier();
      e[c] = (byte) d.shift();
    }
    return new DyadicVector(m, e);
  }

  /** Powers of two make ties. */
  private Dyadic dyadic(int shift, int leastShift) {
    int e = shift != 0 ? shift : leastShift + random.nextInt(63 - leastShift);
    int m = (1 << 30) + random.nextInt(1 << 30);
    return switch (random.nextInt(5)) {
      case 0 -> new Dyadic(1 << 30, e);
      case 1 -> new Dyadic(Integer.MAX_VALUE, e);
      case 2 -> new Dyadic(e > 32 ? m >> random.nextInt(31) : m, e);
      default -> new Dyadic(m, e);
    };
  }

  private LayerNorm norm(LayerNorm n) {
    int[] m = new int[n.channels()];
    long[] b = new long[n.channels()];
    int e = random.nextInt(4) == 0 ? 1 + random.nextInt(62) : 45 + random.nextInt(18);
    for (int c = 0; c < m.length; c++) {
      m[c] = random.nextInt(Integer.MAX_VALUE) >> random.nextInt(20);
      m[c] = random.nextBoolean() ? m[c] : -m[c];
      b[c] = random.nextLong() >> (3 + random.nextInt(30));
    }
    return new LayerNorm(
        n.name(),
        n.channels(),
        new ILayerNorm.Constants(m, b, e, epsilon(n)),
        n.outputOutliers(),
        n.outputScale());
  }

  private long epsilon(LayerNorm n) {
    return n.constants().epsilon() == 0 ? 0 : random.nextLong() >>> (4 + random.nextInt(50));
  }

  private Residual residual(Residual r) {
    return new Residual(
        r.name(),
        dyadic(24 + random.nextInt(8), 18),
        dyadic(24 + random.nextInt(8), 18),
        r.outputScale());
  }

  private Gelu gelu(Gelu gelu) {
    if (gelu instanceof GeluTable t) {
      byte[] table = t.table().clone();
      byte[] outliers = t.outlierTable().clone();
      random.nextBytes(table);
      random.nextBytes(outliers);
      return new GeluTable(t.name(), table, outliers, t.outputOutliers(), t.outputScale());
    }
    return gelu;
  }

  private Attention attention(Attention a) {
    PositionBias position = a.position();
    return new Attention(
        a.name(),
        a.heads(),
        a.headDim(),
        dyadic(33 + random.nextInt(10), 30),
        a.scoresScale(),
        position == null ? null : position(position),
        a.softmax(),
        multipliers(a.heads() * a.headDim(), 30),
        a.contextOutliers(),
        a.contextScale());
  }

  private PositionBias position(PositionBias p) {
    byte[] table = p.table().clone();
    random.nextBytes(table);
    return new PositionBias(
        p.name(),
        p.heads(),
        table,
        p.tableScale(),
        dyadic(0, 18),
        dyadic(28 + random.nextInt(6), 18),
        p.outputScale());
  }

  /** A code, often the least or the greatest of its width. */
  private int extreme(int bits) {
    int least = -1 << (bits - 1);
    return switch (random.nextInt(6)) {
      case 0, 1 -> least;
      case 2 -> -least - 1;
      default -> least + random.nextInt(1 << bits);
    };
  }
}
