package org.ivit.core.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.weight.PackedBits;

/** The tensors that a checkpoint must hold: names, dtypes and shapes, in their order. */
final class TensorLayout implements PartVisitor<Void> {
  private final Scheme scheme;
  private final Map<String, WeightForm> weights;
  private final Map<String, Form> forms = new LinkedHashMap<>();

  record Form(DType dtype, long[] shape) {
    long bytes() {
      long elements = 1;
      for (long size : shape) {
        elements = Math.multiplyExact(elements, size);
      }
      return Math.multiplyExact(elements, dtype.size());
    }

    boolean fits(Tensor tensor) {
      return tensor.dtype() == dtype && Arrays.equals(tensor.shape(), shape);
    }

    @Override
    public String toString() {
      return dtype + " " + Arrays.toString(shape);
    }
  }

  TensorLayout(Architecture architecture, Scheme scheme, Map<String, WeightForm> weights) {
    this.scheme = scheme;
    this.weights = weights;
    architecture.parts().forEach(part -> part.accept(this));
  }

  @Override
  public Void stem(Stem stem) {
    linear(stem.projection());
    if (stem.normed()) {
      norm(stem.output(), stem.dim());
    } else {
      stem.leading()
          .forEach(token -> add(token.name(), DType.I32, CheckpointNames.tokenShape(stem, token)));
      add(Stem.POSITION, DType.I16, stem.outputTokens(), stem.dim());
      dyadic(stem.output(), 2);
    }
    return null;
  }

  @Override
  public Void block(Block block) {
    norm(block.norm1(), block.dim());
    linear(block.qkvLinear());
    if (block.rotary() != null) {
      dyadic(block.rope(), 1);
    }
    dyadic(block.scores(), 1);
    if (block.windows() != null) {
      add(block.positionTable(), DType.I8, block.windows().relativePositions(), block.heads());
      dyadic(block.biased(), 2);
    }
    softmax(block.softmax());
    dyadic(block.context(), block.dim());
    linear(block.projLinear());
    dyadic(block.residual1(), 2);
    norm(block.norm2(), block.dim());
    linear(block.fc1Linear());
    if (block.gated()) {
      linear(block.valueLinear());
      add(block.act() + CheckpointNames.TABLE, DType.I16, 256);
      dyadic(block.act(), block.hidden());
    } else {
      gelu(block.act());
    }
    if (block.gatedNorm()) {
      norm(block.mlpNorm(), block.hidden());
    }
    linear(block.fc2Linear());
    dyadic(block.residual2(), 2);
    return null;
  }

  @Override
  public Void merging(Merging merging) {
    norm(merging.norm(), merging.mergedDim());
    linear(merging.reduction());
    return null;
  }

  @Override
  public Void norm(Norm norm) {
    norm(norm.output(), norm.dim());
    return null;
  }

  @Override
  public Void meanPooling(MeanPooling pooling) {
    dyadic(pooling.output(), 1);
    return null;
  }

  @Override
  public Void attentionPooling(AttentionPooling pooling) {
    norm(pooling.norm(), pooling.dim());
    linear(pooling.scoresLinear());
    softmax(pooling.softmax());
    linear(pooling.valuesLinear());
    dyadic(pooling.context(), pooling.dim());
    linear(pooling.projLinear());
    norm(pooling.norm2(), pooling.dim());
    linear(pooling.fc1Linear());
    gelu(pooling.act().node());
    linear(pooling.fc2Linear());
    dyadic(pooling.residual(), 2);
    return null;
  }

  @Override
  public Void head(Head head) {
    if (head.normed()) {
      norm(head.norm(), head.dim());
    }
    if (head.nodes().contains(head.pool())) {
      dyadic(head.pool(), 1);
    }
    head.linears().forEach(this::linear);
    return null;
  }

  private void add(String name, DType dtype, long... shape) {
    forms.put(name, new Form(dtype, shape));
  }

  private void linear(LinearSpec layer) {
    weight(layer, weights.get(layer.node().name()));
    add(layer.node() + CheckpointNames.BIAS, DType.I32, layer.outputs());
    dyadic(layer.node(), layer.outputs());
  }

  private void weight(LinearSpec layer, WeightForm form) {
    Node node = layer.node();
    if (form == null) {
      add(node + CheckpointNames.WEIGHT, DType.I8, layer.outputs(), layer.inputs());
      return;
    }
    add(
        node + CheckpointNames.WEIGHT_INDICES,
        DType.U8,
        layer.outputs(),
        PackedBits.rowBytes(layer.inputs(), form.bits()));
    switch (form.coding()) {
      case TABLE ->
          add(node + CheckpointNames.WEIGHT_TABLE, DType.I8, layer.outputs(), 1L << form.bits());
      case GROUP ->
          add(
              node + CheckpointNames.WEIGHT_MULTIPLIER,
              DType.U8,
              layer.outputs(),
              form.multiplierBytes(layer.inputs()));
      case UNIFORM -> {}
    }
  }

  private void softmax(String name) {
    add(name + CheckpointNames.EXPONENTIALS, DType.I32, SoftmaxTable.SIZE);
    add(name + CheckpointNames.ROUNDING, DType.I32, 1);
  }

  private void dyadic(Node node, long count) {
    add(node + CheckpointNames.MULTIPLIER, DType.I32, count);
    add(node + CheckpointNames.SHIFT, DType.U8, count);
  }

  private void norm(Node node, long channels) {
    add(node + CheckpointNames.MULTIPLIER, DType.I32, channels);
    add(node + CheckpointNames.OFFSET, DType.I64, channels);
    add(node + CheckpointNames.SHIFT, DType.U8, 1);
    if (scheme.normEpsilon()) {
      add(node + CheckpointNames.EPSILON, DType.I64, 1);
    }
  }

  private void gelu(Node node) {
    if (scheme.gelu() == GeluForm.ROW) {
      add(node + CheckpointNames.SIGMOID_SCALE, DType.F32, 1);
      add(node + CheckpointNames.X0_AND_N, DType.I32, 2);
      dyadic(node, 1);
      return;
    }
    add(node + CheckpointNames.TABLE, DType.I8, 256);
    if (!scheme.outliers(node).isEmpty()) {
      add(node + CheckpointNames.OUTLIER_TABLE, DType.I8, 256);
    }
  }

  /** What {@link PackedConstants} holds, in its order. */
  Map<String, Form> constants() {
    Map<String, Form> constants = new LinkedHashMap<>(forms);
    constants.keySet().removeIf(name -> !PackedConstants.holds(name));
    return constants;
  }

  /** Bytes of the constants. */
  long constantBytes() {
    return constants().values().stream().mapToLong(Form::bytes).reduce(0, Math::addExact);
  }

  /**
   * Checks that a file holds exactly these tensors.
   *
   * @throws InputException one line with all that are missing, unexpected or of another form
   */
  void check(TensorFile file) {
    List<String> missing = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    forms.forEach(
        (name, form) -> {
          Tensor tensor = file.tensors().get(name);
          if (tensor == null) {
            missing.add(name);
          } else if (!form.fits(tensor)) {
            wrong.add(
                "%s is %s %s, expected %s"
                    .formatted(
                        name,
                        tensor.dtype(),
                        MessageText.line(Arrays.toString(tensor.shape())),
                        form));
          }
        });
    List<String> unexpected = new ArrayList<>();
    for (String name : file.tensors().keySet()) {
      if (!forms.containsKey(name)) {
        unexpected.add(MessageText.quote(name));
      }
    }
    List<String> parts = new ArrayList<>();
    part(parts, "missing", missing);
    part(parts, "unexpected", unexpected);
    part(parts, "wrong", wrong);
    if (!parts.isEmpty()) {
      throw new InputException("tensors: " + String.join("; ", parts));
    }
  }

  private static void part(List<String> parts, String what, List<String> items) {
    if (!items.isEmpty()) {
      parts.add("%d %s: %s".formatted(items.size(), what, MessageText.list(items)));
    }
  }
}
