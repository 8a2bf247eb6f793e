package org.ivit.core.checkpoint;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Block;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gelu;
import org.ivit.core.graph.GeluRow;
import org.ivit.core.graph.GeluTable;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Residual;
import org.ivit.core.graph.VitGraph;
import org.ivit.core.tensor.Tensor;

/** The tensors of a ViT's graph, as {@link VitLayout} lists them. */
final class VitTensors {
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  private VitTensors() {}

  static Map<String, Tensor> of(VitGraph graph) {
    VitTensors all = new VitTensors();
    all.linear(graph.patchEmbed());
    all.embed(graph.embed());
    for (Block block : graph.blocks()) {
      all.norm(block.norm1());
      all.linear(block.qkv());
      all.attention(block.attention());
      all.linear(block.proj());
      all.residual(block.residual1());
      all.norm(block.norm2());
      all.linear(block.fc1());
      all.gelu(block.gelu());
      all.linear(block.fc2());
      all.residual(block.residual2());
    }
    all.norm(graph.norm());
    all.linear(graph.head());
    return all.tensors;
  }

  private void put(String node, String suffix, Tensor tensor) {
    tensors.put(node + suffix, tensor);
  }

  private void linear(Linear linear) {
    put(
        linear.name(),
        CheckpointNames.WEIGHT,
        Tensor.of(linear.weight(), linear.outputs(), linear.inputs()));
    put(linear.name(), CheckpointNames.BIAS, Tensor.of(linear.bias(), linear.outputs()));
    dyadic(linear.name(), linear.requantization());
  }

  private void dyadic(String node, DyadicVector vector) {
    put(node, CheckpointNames.MULTIPLIER, Tensor.of(vector.multiplier(), vector.size()));
    put(node, CheckpointNames.SHIFT, Tensor.ofUnsigned(vector.shift(), vector.size()));
  }

  private void dyadic(String node, Dyadic... each) {
    int[] multiplier = new int[each.length];
    byte[] shift = new byte[each.length];
    for (int i = 0; i < each.length; i++) {
      multiplier[i] = each[i].multiplier();
      shift[i] = (byte) each[i].shift();
    }
    dyadic(node, new DyadicVector(multiplier, shift));
  }

  private void embed(Embed embed) {
    int dim = embed.classToken().length;
    tensors.put(CheckpointNames.CLASS_TOKEN, Tensor.of(embed.classToken(), dim));
    tensors.put(
        CheckpointNames.POSITION, Tensor.of(embed.position(), embed.position().length / dim, dim));
    residual(embed.sum());
  }

  private void residual(Residual residual) {
    dyadic(residual.name(), residual.branch(), residual.identity());
  }

  private void norm(LayerNorm norm) {
    ILayerNorm.Constants constants = norm.constants();
    put(
        norm.name(),
        CheckpointNames.MULTIPLIER,
        Tensor.of(constants.multiplier(), norm.channels()));
    put(norm.name(), CheckpointNames.OFFSET, Tensor.of(constants.offset(), norm.channels()));
    put(
        norm.name(),
        CheckpointNames.SHIFT,
        Tensor.ofUnsigned(new byte[] {(byte) constants.shift()}, 1));
  }

  private void attention(Attention attention) {
    SoftmaxTable softmax = attention.softmax();
    dyadic(attention.name() + ".scores", attention.scores());
    put(
        attention.name() + ".softmax",
        CheckpointNames.EXPONENTIALS,
        Tensor.of(softmax.exponentials(), SoftmaxTable.SIZE));
    put(
        attention.name() + ".softmax",
        CheckpointNames.ROUNDING,
        Tensor.of(new int[] {softmax.rounding()}, 1));
    dyadic(attention.name() + ".context", attention.context());
  }

  private void gelu(Gelu gelu) {
    if (gelu instanceof GeluTable table) {
      put(table.name(), CheckpointNames.TABLE, Tensor.of(table.table(), 256));
      if (!table.outputOutliers().isEmpty()) {
        put(table.name(), CheckpointNames.OUTLIER_TABLE, Tensor.of(table.outlierTable(), 256));
      }
    } else if (gelu instanceof GeluRow row) {
      ShiftGelu.RowConstants constants = row.constants();
      put(row.name(), CheckpointNames.SIGMOID_SCALE, Tensor.of(new float[] {constants.scale()}, 1));
      put(
          row.name(),
          CheckpointNames.X0_AND_N,
          Tensor.of(new int[] {constants.x0(), constants.n()}, 2));
      dyadic(row.name(), row.requantization());
    }
  }
}
