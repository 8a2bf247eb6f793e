package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.graph.FloatWeights;

/** Products in float32. */
final class FloatProducts implements Products {
  private final OnnxGraph graph;
  private final Tokens tokens;
  private final FloatWeights weights;
  private final Architecture architecture;

  FloatProducts(OnnxGraph graph, Architecture architecture, FloatWeights weights) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.weights = weights;
    this.architecture = architecture;
  }

  @Override
  public String linear(String name, String from, String rows) {
    float[] weight = weights.get(name + ".weight");
    float[] bias = weights.values().get(name + ".bias");
    int outputs = (int) architecture.parameters().get(name + ".weight")[0];
    int inputs = weight.length / outputs;
    List<String> operands = new ArrayList<>();
    operands.add(rows);
    operands.add(graph.floats(name + ".weight", weight, outputs, inputs));
    if (bias != null) {
      operands.add(graph.floats(name + ".bias", bias, outputs));
    }
    return graph.node("Gemm", name, operands, attribute("transB", 1L));
  }

  @Override
  public String patches(String name, String pixels) {
    int patch = architecture.patch();
    int dim = architecture.dim();
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
    int grid = architecture.image() / patch;
    String flat = tokens.reshape(planes, name, -1, dim, (long) grid * grid);
    return tokens.reshape(tokens.transpose(flat, name, 0, 2, 1), name, -1, dim);
  }

  @Override
  public String scores(Block site, String query, String key) {
    return graph.node("MatMul", site.node("attn.scores"), List.of(query, key));
  }

  @Override
  public String context(Block site, String probabilities, String value) {
    return graph.node("MatMul", site.node("attn.context"), List.of(probabilities, value));
  }
}
