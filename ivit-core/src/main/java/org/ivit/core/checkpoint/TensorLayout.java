package org.ivit.core.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Scheme;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/** The tensors that a checkpoint must hold: names, dtypes and shapes, in their order. */
final class TensorLayout {
  private final Map<String, Form> forms = new LinkedHashMap<>();

  private record Form(DType dtype, long[] shape) {
    boolean fits(Tensor tensor) {
      return tensor.dtype() == dtype && Arrays.equals(tensor.shape(), shape);
    }

    @Override
    public String toString() {
      return dtype + " " + Arrays.toString(shape);
    }
  }

  TensorLayout(Architecture architecture, Scheme scheme) {
    if (architecture instanceof Swin swin) {
      swin(swin, scheme);
    } else {
      vit((Vit) architecture, scheme);
    }
  }

  private void vit(Vit a, Scheme scheme) {
    linear(NodeNames.PATCH_EMBED, a.dim(), a.patchInputs());
    a.leading().forEach(token -> add(token, DType.I32, a.dim()));
    add(CheckpointNames.POSITION, DType.I16, a.tokens(), a.dim());
    dyadic(NodeNames.EMBED, 2);
    a.blocks().forEach(site -> block(site, scheme));
    norm(NodeNames.NORM, a.dim());
    a.classifiers().forEach(head -> linear(head, a.classes(), a.dim()));
  }

  private void swin(Swin a, Scheme scheme) {
    linear(NodeNames.PATCH_PROJECTION, a.dim(), a.patchInputs());
    norm(NodeNames.PATCH_NORM, a.dim());
    for (Swin.Stage stage : a.stages()) {
      stage.blocks().forEach(site -> block(site, scheme));
      if (stage.merges()) {
        norm(stage.mergeNorm(), 4L * stage.dim());
        linear(stage.reduction(), 2L * stage.dim(), 4L * stage.dim());
      }
    }
    norm(NodeNames.NORM, a.features());
    dyadic(NodeNames.POOL, 1);
    linear(NodeNames.HEAD, a.classes(), a.features());
  }

  private void block(Block site, Scheme scheme) {
    int dim = site.dim();
    norm(site.node("norm1"), dim);
    linear(site.node("attn.qkv"), 3L * dim, dim);
    dyadic(site.node("attn.scores"), 1);
    if (site.windows() != null) {
      add(
          site.node(NodeNames.POSITION_TABLE),
          DType.I8,
          site.windows().relativePositions(),
          site.heads());
      dyadic(site.node(NodeNames.BIASED), 2);
    }
    String softmax = site.node("attn.softmax");
    add(softmax + CheckpointNames.EXPONENTIALS, DType.I32, SoftmaxTable.SIZE);
    add(softmax + CheckpointNames.ROUNDING, DType.I32, 1);
    dyadic(site.node("attn.context"), dim);
    linear(site.node("attn.proj"), dim, dim);
    dyadic(site.node("residual1"), 2);
    norm(site.node("norm2"), dim);
    linear(site.node("mlp.fc1"), site.hidden(), dim);
    gelu(site.node("mlp.act"), scheme);
    linear(site.node("mlp.fc2"), dim, site.hidden());
    dyadic(site.node("residual2"), 2);
  }

  private void add(String name, DType dtype, long... shape) {
    forms.put(name, new Form(dtype, shape));
  }

  private void linear(String node, long outputs, long inputs) {
    add(node + CheckpointNames.WEIGHT, DType.I8, outputs, inputs);
    add(node + CheckpointNames.BIAS, DType.I32, outputs);
    dyadic(node, outputs);
  }

  private void dyadic(String node, long count) {
    add(node + CheckpointNames.MULTIPLIER, DType.I32, count);
    add(node + CheckpointNames.SHIFT, DType.U8, count);
  }

  private void norm(String node, long channels) {
    add(node + CheckpointNames.MULTIPLIER, DType.I32, channels);
    add(node + CheckpointNames.OFFSET, DType.I64, channels);
    add(node + CheckpointNames.SHIFT, DType.U8, 1);
  }

  private void gelu(String node, Scheme scheme) {
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
