package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Stem;
import org.ivit.core.graph.FloatWeights;

/** Products in float32. */
final class FloatProducts implements Products {
  private final OnnxGraph graph;
  private final Tokens tokens;
  private final FloatWeights weights;

  FloatProducts(OnnxGraph graph, FloatWeights weights) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.weights = weights;
  }

  @Override
  public String linear(LinearSpec layer, String rows) {
    int outputs = layer.outputs();
    List<String> operands = new ArrayList<>();
    operands.add(rows);
    operands.add(
        graph.floats(layer.weight(), weights.get(layer.weight()), outputs, layer.inputs()));
    if (layer.biased()) {
      operands.add(graph.floats(layer.bias(), weights.get(layer.bias()), outputs));
    }
    return graph.node("Gemm", layer.parameters(), operands, attribute("transB", 1L));
  }

  @Override
  public String patches(Stem stem, String pixels) {
    String name = Stem.PROJECTION;
    int patch = stem.patch();
    int dim = stem.dim();
    String weight =
        graph.floats(name + ".weight", weights.get(name + ".weight"), dim, 3, patch, patch);
    String bias = graph.floats(name + ".bias", weights.get(name + ".bias"), dim);
    String planes =
        graph.node(
            "Conv",
            name,
            List.of(pixels, weight, bias),
            attribute("kernel_shape", new long[] {patch, patch}),
            attribute("strides", new long[] {patch, patch}));
    String flat = tokens.reshape(planes, name, -1, dim, stem.patches());
    return tokens.reshape(tokens.transpose(flat, name, 0, 2, 1), name, -1, dim);
  }
}
