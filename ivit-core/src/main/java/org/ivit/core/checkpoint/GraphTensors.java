package org.ivit.core.checkpoint;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Stem.LeadingToken;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.ShiftGelu;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.Gating;
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
import org.ivit.core.graph.PositionBias;
import org.ivit.core.graph.Residual;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/** The tensors of a graph, as {@link TensorLayout} lists them. */
final class GraphTensors implements GraphVisitor<Void> {
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  private final boolean normEpsilon;

  private GraphTensors(boolean normEpsilon) {
    this.normEpsilon = normEpsilon;
  }

  static Map<String, Tensor> of(IntegerGraph graph) {
    GraphTensors all = new GraphTensors(graph.scheme().normEpsilon());
    graph.parts().forEach(part -> part.accept(all));
    return all.tensors;
  }

  @Override
  public Void stem(IntegerStem stem) {
    linear(stem.projection());
    if (stem.norm() != null) {
      norm(stem.norm());
    } else {
      embed(stem.part(), stem.embed());
    }
    return null;
  }

  @Override
  public Void block(IntegerBlock block) {
    norm(block.norm1());
    linear(block.qkv());
    if (block.rotation() != null) {
      dyadic(block.rotation().name(), block.rotation().requantization());
    }
    attention(block.part(), block.attention());
    linear(block.proj());
    residual(block.residual1());
    norm(block.norm2());
    linear(block.fc1());
    if (block.gelu() != null) {
      gelu(block.gelu());
    } else {
      linear(block.value());
      gating(block.gating());
    }
    if (block.mlpNorm() != null) {
      norm(block.mlpNorm());
    }
    linear(block.fc2());
    residual(block.residual2());
    return null;
  }

  @Override
  public Void merging(IntegerMerging merging) {
    norm(merging.norm());
    linear(merging.reduction());
    return null;
  }

  @Override
  public Void norm(IntegerNorm norm) {
    norm(norm.norm());
    return null;
  }

  @Override
  public Void meanPooling(IntegerMeanPooling pooling) {
    dyadic(pooling.part().output().name(), pooling.pool().multiplier());
    return null;
  }

  @Override
  public Void attentionPooling(IntegerAttentionPooling pooling) {
    norm(pooling.norm());
    linear(pooling.scores());
    softmax(pooling.part().softmax(), pooling.attention().softmax());
    linear(pooling.values());
    dyadic(pooling.part().context().name(), pooling.attention().context());
    linear(pooling.proj());
    norm(pooling.norm2());
    linear(pooling.fc1());
    gelu(pooling.gelu());
    linear(pooling.fc2());
    residual(pooling.residual());
    return null;
  }

  @Override
  public Void head(IntegerHead head) {
    if (head.norm() != null) {
      norm(head.norm());
    }
    if (head.pool() != null) {
      dyadic(head.part().pool().name(), head.pool().multiplier());
    }
    head.classifiers().forEach(this::linear);
    return null;
  }

  private void put(String node, String suffix, Tensor tensor) {
    tensors.put(node + suffix, tensor);
  }

  private void linear(Linear linear) {
    weight(linear.name(), linear.codes());
    put(linear.name(), CheckpointNames.BIAS, Tensor.of(linear.bias(), linear.outputs()));
    dyadic(linear.name(), linear.requantization());
  }

  private void weight(String node, WeightCodes codes) {
    int outputs = codes.outputs();
    WeightGrid grid = codes.grid();
    if (grid == null) {
      put(node, CheckpointNames.WEIGHT, Tensor.of(codes.stored(), outputs, codes.inputs()));
      return;
    }
    put(node, CheckpointNames.WEIGHT_INDICES, rows(codes.stored(), outputs));
    if (grid instanceof TableGrid table) {
      put(
          node,
          CheckpointNames.WEIGHT_TABLE,
          Tensor.of(table.table(), outputs, 1L << table.bits()));
    } else if (grid instanceof GroupGrid group) {
      put(
          node,
          CheckpointNames.WEIGHT_MULTIPLIER,
          rows(WeightForm.of(group).packed(group), outputs));
    }
  }

  private static Tensor rows(byte[] packed, int rows) {
    return Tensor.ofUnsigned(packed, rows, packed.length / rows);
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

  private void embed(Stem stem, Embed embed) {
    int from = 0;
    for (LeadingToken token : stem.leading()) {
      int to = from + token.count() * stem.dim();
      int[] codes = Arrays.copyOfRange(embed.leading(), from, to);
      tensors.put(token.name(), Tensor.of(codes, CheckpointNames.tokenShape(stem, token)));
      from = to;
    }
    tensors.put(
        Stem.POSITION,
        Tensor.of(embed.position(), embed.position().length / stem.dim(), stem.dim()));
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
    if (normEpsilon) {
      put(norm.name(), CheckpointNames.EPSILON, Tensor.of(new long[] {constants.epsilon()}, 1));
    }
  }

  private void attention(Block site, Attention attention) {
    dyadic(attention.name() + ".scores", attention.scores());
    PositionBias position = attention.position();
    if (position != null) {
      int heads = position.heads();
      tensors.put(
          site.positionTable(),
          Tensor.of(position.table(), position.table().length / heads, heads));
      dyadic(position.name(), position.score(), position.position());
    }
    softmax(attention.name() + ".softmax", attention.softmax());
    dyadic(attention.name() + ".context", attention.context());
  }

  private void softmax(String name, SoftmaxTable softmax) {
    put(name, CheckpointNames.EXPONENTIALS, Tensor.of(softmax.exponentials(), SoftmaxTable.SIZE));
    put(name, CheckpointNames.ROUNDING, Tensor.of(new int[] {softmax.rounding()}, 1));
  }

  private void gating(Gating gating) {
    put(gating.name(), CheckpointNames.TABLE, Tensor.of(gating.table(), 256));
    dyadic(gating.name(), gating.product());
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
