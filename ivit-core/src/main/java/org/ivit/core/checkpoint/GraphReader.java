package org.ivit.core.checkpoint;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.ShiftExponential;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.GraphPart;
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
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Rotation;
import org.ivit.core.graph.Rotation.Turns;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/**
 * Builds a graph from tensors whose names, dtypes and shapes are checked. The graph's records check
 * every value and prove the bounds anew; a refusal names the tensor or the node.
 */
final class GraphReader implements PartVisitor<GraphPart> {
  private final TensorFile file;
  private final Scheme scheme;
  private final Map<String, Float> scales;
  private final Map<String, WeightForm> weights;

  /** Scale of the codes between parts. */
  private float stream;

  private GraphReader(
      TensorFile file, Scheme scheme, Map<String, Float> scales, Map<String, WeightForm> weights) {
    this.file = file;
    this.scheme = scheme;
    this.scales = scales;
    this.weights = weights;
  }

  /**
   * @param packed whether constants lie packed, as in version 3
   */
  static IntegerGraph read(TensorFile file, GraphDescription description, boolean packed) {
    Architecture architecture = description.parsedArchitecture();
    Scheme scheme = description.scheme(architecture);
    Map<String, Float> scales = description.scales(architecture);
    Map<String, WeightForm> weights = description.weights(architecture);
    TensorLayout layout = new TensorLayout(architecture, scheme, weights);
    TensorFile tensors = packed ? PackedConstants.unpack(file, layout) : file;
    layout.check(tensors);
    GraphReader reader = new GraphReader(tensors, scheme, scales, weights);
    List<GraphPart> parts = architecture.parts().stream().map(reader::part).toList();
    return new IntegerGraph(architecture, scheme, reader.scale(Node.INPUT), parts);
  }

  private GraphPart part(Part part) {
    GraphPart read = part.accept(this);
    stream = read.outputScale();
    return read;
  }

  @Override
  public GraphPart stem(Stem stem) {
    Linear projection = linear(stem.projection());
    return stem.normed()
        ? new IntegerStem(stem, projection, null, norm(stem.output(), stem.dim()))
        : new IntegerStem(stem, projection, embed(stem), null);
  }

  @Override
  public GraphPart block(Block block) {
    return new IntegerBlock(
        block,
        norm(block.norm1(), block.dim()),
        linear(block.qkvLinear()),
        block.rotary() == null ? null : rotation(block),
        attention(block),
        linear(block.projLinear()),
        residual(block.residual1()),
        norm(block.norm2(), block.dim()),
        linear(block.fc1Linear()),
        block.gated() ? null : gelu(block.act()),
        block.gated() ? linear(block.valueLinear()) : null,
        block.gated() ? gating(block.act()) : null,
        block.gatedNorm() ? norm(block.mlpNorm(), block.hidden()) : null,
        linear(block.fc2Linear()),
        residual(block.residual2()));
  }

  private Rotation rotation(Block block) {
    String name = block.rope().name();
    Turns turns = Turns.of(block.rotary(), block.headDim());
    return new Rotation(name, turns, dyadic(name, 0), scale(name));
  }

  private Gating gating(Node node) {
    return new Gating(
        node.name(),
        file.get(node.name() + CheckpointNames.TABLE).shorts(),
        dyadics(node.name()),
        scheme.outliers(node),
        node.bits(),
        scale(node));
  }

  @Override
  public GraphPart merging(Merging merging) {
    return new IntegerMerging(
        merging, norm(merging.norm(), merging.mergedDim()), linear(merging.reduction()));
  }

  @Override
  public GraphPart norm(Norm norm) {
    return new IntegerNorm(norm, norm(norm.output(), norm.dim()));
  }

  @Override
  public GraphPart meanPooling(MeanPooling pooling) {
    return new IntegerMeanPooling(pooling, pool(pooling.output(), pooling.pooledTokens()));
  }

  @Override
  public GraphPart attentionPooling(AttentionPooling pooling) {
    Node context = pooling.context();
    return new IntegerAttentionPooling(
        pooling,
        norm(pooling.norm(), pooling.dim()),
        linear(pooling.scoresLinear()),
        linear(pooling.valuesLinear()),
        new QueryAttention(
            pooling.heads(),
            pooling.headDim(),
            softmax(pooling.softmax()),
            dyadics(context.name()),
            scheme.outliers(context),
            scale(context)),
        linear(pooling.projLinear()),
        norm(pooling.norm2(), pooling.dim()),
        linear(pooling.fc1Linear()),
        gelu(pooling.act().node()),
        linear(pooling.fc2Linear()),
        residual(pooling.residual()));
  }

  @Override
  public GraphPart head(Head head) {
    return head.normed()
        ? new IntegerHead(
            head,
            norm(head.norm(), head.dim()),
            head.nodes().contains(head.pool()) ? pool(head.pool(), head.pooledTokens()) : null,
            head.linears().stream().map(this::linear).toList(),
            0)
        : new IntegerHead(head, null, null, List.of(), stream);
  }

  private Pool pool(Node node, int tokens) {
    return new Pool(tokens, dyadic(node.name(), 0), scale(node));
  }

  /** Names the tensor or node in a refusal that knows values alone. */
  private static <T> T named(String name, Supplier<T> value) {
    try {
      return value.get();
    } catch (InputException e) {
      throw new InputException(name + ": " + e.getMessage(), e);
    }
  }

  private float scale(Node node) {
    return scale(node.name());
  }

  private float scale(String node) {
    return scales.get(node);
  }

  private int[] ints(String name) {
    return file.get(name).ints();
  }

  private DyadicVector dyadics(String node) {
    String multiplier = node + CheckpointNames.MULTIPLIER;
    String shift = node + CheckpointNames.SHIFT;
    return named(
        "tensors " + multiplier + " and " + shift,
        () -> new DyadicVector(ints(multiplier), file.get(shift).bytes()));
  }

  private Dyadic dyadic(String node, int index) {
    DyadicVector vector = dyadics(node);
    return new Dyadic(vector.multiplier()[index], vector.shift()[index]);
  }

  private WeightCodes codes(LinearSpec layer) {
    String node = layer.node().name();
    WeightForm form = weights.get(node);
    if (form == null) {
      byte[] codes = file.get(node + CheckpointNames.WEIGHT).sharedBytes();
      return new WeightCodes(layer.outputs(), layer.inputs(), null, codes);
    }
    String constants =
        node
            + switch (form.coding()) {
              case TABLE -> CheckpointNames.WEIGHT_TABLE;
              case GROUP -> CheckpointNames.WEIGHT_MULTIPLIER;
              case UNIFORM -> CheckpointNames.WEIGHT_INDICES;
            };
    WeightGrid grid =
        named(
            "tensor " + constants,
            () -> form.grid(layer.inputs(), file.get(constants).sharedBytes()));
    String indices = node + CheckpointNames.WEIGHT_INDICES;
    byte[] stored = file.get(indices).sharedBytes();
    return named(
        "tensor " + indices, () -> new WeightCodes(layer.outputs(), layer.inputs(), grid, stored));
  }

  private Linear linear(LinearSpec layer) {
    String node = layer.node().name();
    DyadicVector requantization = dyadics(node);
    return new Linear(
        node,
        layer.inputs(),
        layer.outputs(),
        codes(layer),
        ints(node + CheckpointNames.BIAS),
        scheme.outliers(layer.input()),
        requantization,
        layer.node().bits(),
        scale(node));
  }

  private Embed embed(Stem stem) {
    return new Embed(
        stem.leading().stream().flatMapToInt(token -> IntStream.of(ints(token.name()))).toArray(),
        file.get(Stem.POSITION).shorts(),
        scale(Stem.POSITION),
        residual(stem.output()));
  }

  private Residual residual(Node node) {
    return new Residual(node.name(), dyadic(node.name(), 0), dyadic(node.name(), 1), scale(node));
  }

  private LayerNorm norm(Node node, int channels) {
    String multiplier = node + CheckpointNames.MULTIPLIER;
    String offset = node + CheckpointNames.OFFSET;
    String shift = node + CheckpointNames.SHIFT;
    ILayerNorm.Constants constants =
        named(
            "tensors " + multiplier + ", " + offset + " and " + shift,
            () ->
                new ILayerNorm.Constants(
                    ints(multiplier), file.get(offset).longs(), ints(shift)[0], epsilon(node)));
    return new LayerNorm(node.name(), channels, constants, scheme.outliers(node), scale(node));
  }

  private long epsilon(Node node) {
    return scheme.normEpsilon() ? file.get(node + CheckpointNames.EPSILON).longs()[0] : 0;
  }

  private Attention attention(Block block) {
    return new Attention(
        block.node("attn"),
        block.heads(),
        block.headDim(),
        dyadic(block.scores().name(), 0),
        scale(block.scores()),
        block.windows() == null ? null : position(block),
        softmax(block.softmax()),
        dyadics(block.context().name()),
        scheme.outliers(block.context()),
        scale(block.context()));
  }

  private PositionBias position(Block block) {
    String node = block.biased().name();
    String table = block.positionTable();
    return new PositionBias(
        node,
        block.heads(),
        file.get(table).bytes(),
        scale(table),
        dyadic(node, 0),
        dyadic(node, 1),
        scale(node));
  }

  private SoftmaxTable softmax(String node) {
    int bits = scheme.attentionBits();
    int expected = scheme.softmax() == SoftmaxForm.EXACT ? 1 << (31 - bits) : 0;
    int rounding = ints(node + CheckpointNames.ROUNDING)[0];
    if (rounding != expected) {
      throw new InputException(
          "tensor %s: %d, expected %d for softmax form %s with %d bits"
              .formatted(
                  node + CheckpointNames.ROUNDING,
                  rounding,
                  expected,
                  scheme.softmax().key(),
                  bits));
    }
    String exponentials = node + CheckpointNames.EXPONENTIALS;
    return named(
        "tensor " + exponentials,
        () ->
            new SoftmaxTable(
                ints(exponentials), rounding, bits, scheme.softmax() == SoftmaxForm.DEFERRED));
  }

  private Gelu gelu(Node act) {
    String node = act.name();
    if (scheme.gelu() == GeluForm.ROW) {
      ShiftGelu.RowConstants constants = rowConstants(node);
      return new GeluRow(
          node, constants, ShiftGelu.sigmoidRowTable(constants), dyadic(node, 0), scale(node));
    }
    OutlierChannels outliers = scheme.outliers(act);
    return new GeluTable(
        node,
        file.get(node + CheckpointNames.TABLE).bytes(),
        outliers.isEmpty() ? new byte[0] : file.get(node + CheckpointNames.OUTLIER_TABLE).bytes(),
        outliers,
        scale(node));
  }

  private ShiftGelu.RowConstants rowConstants(String node) {
    float scale = file.get(node + CheckpointNames.SIGMOID_SCALE).floats()[0];
    ShiftExponential expected =
        named("tensor " + node + CheckpointNames.SIGMOID_SCALE, () -> ShiftExponential.gelu(scale));
    int[] found = ints(node + CheckpointNames.X0_AND_N);
    if (found[0] != expected.x0() || found[1] != expected.n()) {
      throw new InputException(
          "tensor %s: [%d, %d], expected [%d, %d], which follow from %s"
              .formatted(
                  node + CheckpointNames.X0_AND_N,
                  found[0],
                  found[1],
                  expected.x0(),
                  expected.n(),
                  node + CheckpointNames.SIGMOID_SCALE));
    }
    return new ShiftGelu.RowConstants(scale, found[0], found[1]);
  }
}
