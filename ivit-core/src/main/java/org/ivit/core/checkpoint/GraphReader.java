package org.ivit.core.checkpoint;

import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
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
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Scheme;
import org.ivit.core.graph.SwinGraph;
import org.ivit.core.graph.SwinStage;
import org.ivit.core.graph.VitGraph;
import org.ivit.core.tensor.TensorFile;

/**
 * Builds a graph from tensors whose names, dtypes and shapes are checked. The graph's records check
 * every value and prove the bounds anew; a refusal names the tensor or the node.
 */
final class GraphReader {
  private final TensorFile file;
  private final Scheme scheme;
  private final Map<String, Float> scales;

  private GraphReader(TensorFile file, Scheme scheme, Map<String, Float> scales) {
    this.file = file;
    this.scheme = scheme;
    this.scales = scales;
  }

  static IntegerGraph read(TensorFile file, GraphDescription description) {
    Architecture architecture = description.parsedArchitecture();
    Scheme scheme = description.scheme(architecture);
    Map<String, Float> scales = description.scales(architecture);
    new TensorLayout(architecture, scheme).check(file);
    GraphReader reader = new GraphReader(file, scheme, scales);
    return architecture instanceof Swin swin ? reader.swin(swin) : reader.vit((Vit) architecture);
  }

  private VitGraph vit(Vit vit) {
    return new VitGraph(
        vit,
        scheme,
        scale(NodeNames.INPUT),
        linear(NodeNames.PATCH_EMBED, vit.patchInputs(), vit.dim(), 16, OutlierChannels.NONE),
        embed(vit),
        vit.blocks().stream().map(this::block).toList(),
        norm(NodeNames.NORM, vit.dim()),
        vit.classifiers().stream()
            .map(
                head -> linear(head, vit.dim(), vit.classes(), 32, scheme.outliers(NodeNames.NORM)))
            .toList());
  }

  private SwinGraph swin(Swin swin) {
    return new SwinGraph(
        swin,
        scheme,
        scale(NodeNames.INPUT),
        linear(NodeNames.PATCH_PROJECTION, swin.patchInputs(), swin.dim(), 8, OutlierChannels.NONE),
        norm(NodeNames.PATCH_NORM, swin.dim()),
        swin.stages().stream().map(this::stage).toList(),
        norm(NodeNames.NORM, swin.features()),
        new Pool(swin.pooledTokens(), dyadic(NodeNames.POOL, 0), scale(NodeNames.POOL)),
        linear(NodeNames.HEAD, swin.features(), swin.classes(), 32, OutlierChannels.NONE));
  }

  private SwinStage stage(Swin.Stage stage) {
    return new SwinStage(
        stage.blocks().stream().map(this::block).toList(), stage.merges() ? merging(stage) : null);
  }

  private IntegerMerging merging(Swin.Stage stage) {
    int inputs = 4 * stage.dim();
    return new IntegerMerging(
        norm(stage.mergeNorm(), inputs),
        linear(stage.reduction(), inputs, 2 * stage.dim(), 8, scheme.outliers(stage.mergeNorm())));
  }

  private IntegerBlock block(Block site) {
    int dim = site.dim();
    int hidden = site.hidden();
    return new IntegerBlock(
        site,
        norm(site.node("norm1"), dim),
        fed(site, "attn.qkv", "norm1", dim, 3 * dim),
        attention(site),
        fed(site, "attn.proj", "attn.context", dim, dim),
        residual(site.node("residual1")),
        norm(site.node("norm2"), dim),
        fed(site, "mlp.fc1", "norm2", dim, hidden),
        gelu(site.node("mlp.act")),
        fed(site, "mlp.fc2", "mlp.act", hidden, dim),
        residual(site.node("residual2")));
  }

  private Linear fed(Block site, String layer, String input, int inputs, int outputs) {
    String node = site.node(layer);
    return linear(node, inputs, outputs, NodeNames.bits(node), scheme.outliers(site.node(input)));
  }

  /** Names the tensor or node in a refusal that knows values alone. */
  private static <T> T named(String name, Supplier<T> value) {
    try {
      return value.get();
    } catch (InputException e) {
      throw new InputException(name + ": " + e.getMessage(), e);
    }
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

  private Linear linear(
      String node, int inputs, int outputs, int bits, OutlierChannels inputOutliers) {
    DyadicVector requantization = dyadics(node);
    return new Linear(
        node,
        inputs,
        outputs,
        file.get(node + CheckpointNames.WEIGHT).sharedBytes(),
        ints(node + CheckpointNames.BIAS),
        inputOutliers,
        requantization,
        bits,
        scale(node));
  }

  private Embed embed(Vit vit) {
    return new Embed(
        vit.leading().stream().flatMapToInt(token -> IntStream.of(ints(token))).toArray(),
        file.get(CheckpointNames.POSITION).shorts(),
        scale(CheckpointNames.POSITION),
        residual(NodeNames.EMBED));
  }

  private Residual residual(String node) {
    return new Residual(node, dyadic(node, 0), dyadic(node, 1), scale(node));
  }

  private LayerNorm norm(String node, int channels) {
    String multiplier = node + CheckpointNames.MULTIPLIER;
    String offset = node + CheckpointNames.OFFSET;
    String shift = node + CheckpointNames.SHIFT;
    ILayerNorm.Constants constants =
        named(
            "tensors " + multiplier + ", " + offset + " and " + shift,
            () ->
                new ILayerNorm.Constants(
                    ints(multiplier), file.get(offset).longs(), ints(shift)[0]));
    return new LayerNorm(node, channels, constants, scheme.outliers(node), scale(node));
  }

  private Attention attention(Block site) {
    String node = site.node("attn");
    return new Attention(
        node,
        site.heads(),
        site.headDim(),
        dyadic(node + ".scores", 0),
        scale(node + ".scores"),
        site.windows() == null ? null : position(site),
        softmax(node + ".softmax"),
        dyadics(node + ".context"),
        scheme.outliers(node + ".context"),
        scale(node + ".context"));
  }

  private PositionBias position(Block site) {
    String node = site.node(NodeNames.BIASED);
    String table = site.node(NodeNames.POSITION_TABLE);
    return new PositionBias(
        node,
        site.heads(),
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

  private Gelu gelu(String node) {
    if (scheme.gelu() == GeluForm.ROW) {
      ShiftGelu.RowConstants constants = rowConstants(node);
      return new GeluRow(
          node, constants, ShiftGelu.sigmoidRowTable(constants), dyadic(node, 0), scale(node));
    }
    OutlierChannels outliers = scheme.outliers(node);
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
