package org.ivit.core.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.ivit.core.InputException;
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
import org.ivit.core.graph.Block;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.Scheme;
import org.ivit.core.graph.VitGraph;
import org.ivit.core.tensor.TensorFile;

/**
 * Builds a ViT's graph from tensors whose names, dtypes and shapes are checked. The graph's records
 * check every value and prove the bounds anew; a refusal names the tensor or the node.
 */
final class VitReader {
  private final TensorFile file;
  private final Vit vit;
  private final Scheme scheme;
  private final Map<String, Float> scales;

  private VitReader(TensorFile file, Vit vit, Scheme scheme, Map<String, Float> scales) {
    this.file = file;
    this.vit = vit;
    this.scheme = scheme;
    this.scales = scales;
  }

  static VitGraph read(TensorFile file, GraphDescription description) {
    Vit vit = description.vit();
    Scheme scheme = description.scheme(vit);
    Map<String, Float> scales = description.scales(vit);
    new VitLayout(vit, scheme).check(file);
    return new VitReader(file, vit, scheme, scales).graph();
  }

  private VitGraph graph() {
    Linear patchEmbed =
        linear(NodeNames.PATCH_EMBED, vit.patchInputs(), vit.dim(), 16, OutlierChannels.NONE);
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < vit.depth(); i++) {
      blocks.add(block(NodeNames.block(i, "")));
    }
    return new VitGraph(
        vit,
        scheme,
        scale(NodeNames.INPUT),
        patchEmbed,
        embed(),
        blocks,
        norm(NodeNames.NORM),
        linear(NodeNames.HEAD, vit.dim(), vit.classes(), 32, scheme.outliers(NodeNames.NORM)));
  }

  private Block block(String prefix) {
    return new Block(
        norm(prefix + "norm1"),
        linear(prefix + "attn.qkv", vit.dim(), 3 * vit.dim(), 8, scheme.outliers(prefix + "norm1")),
        attention(prefix + "attn"),
        linear(
            prefix + "attn.proj",
            vit.dim(),
            vit.dim(),
            16,
            scheme.outliers(prefix + "attn.context")),
        residual(prefix + "residual1"),
        norm(prefix + "norm2"),
        linear(prefix + "mlp.fc1", vit.dim(), vit.hidden(), 8, scheme.outliers(prefix + "norm2")),
        gelu(prefix + "mlp.act"),
        linear(
            prefix + "mlp.fc2", vit.hidden(), vit.dim(), 16, scheme.outliers(prefix + "mlp.act")),
        residual(prefix + "residual2"));
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
        file.get(node + CheckpointNames.WEIGHT).bytes(),
        ints(node + CheckpointNames.BIAS),
        inputOutliers,
        requantization,
        bits,
        scale(node));
  }

  private Embed embed() {
    return new Embed(
        ints(CheckpointNames.CLASS_TOKEN),
        file.get(CheckpointNames.POSITION).shorts(),
        scale(CheckpointNames.POSITION),
        residual(NodeNames.EMBED));
  }

  private Residual residual(String node) {
    return new Residual(node, dyadic(node, 0), dyadic(node, 1), scale(node));
  }

  private LayerNorm norm(String node) {
    String multiplier = node + CheckpointNames.MULTIPLIER;
    String offset = node + CheckpointNames.OFFSET;
    String shift = node + CheckpointNames.SHIFT;
    ILayerNorm.Constants constants =
        named(
            "tensors " + multiplier + ", " + offset + " and " + shift,
            () ->
                new ILayerNorm.Constants(
                    ints(multiplier), file.get(offset).longs(), ints(shift)[0]));
    return new LayerNorm(node, vit.dim(), constants, scheme.outliers(node), scale(node));
  }

  private Attention attention(String node) {
    return new Attention(
        node,
        vit.heads(),
        vit.headDim(),
        dyadic(node + ".scores", 0),
        scale(node + ".scores"),
        softmax(node + ".softmax"),
        dyadics(node + ".context"),
        scheme.outliers(node + ".context"),
        scale(node + ".context"));
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
        "tensor " + exponentials, () -> new SoftmaxTable(ints(exponentials), rounding, bits));
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
