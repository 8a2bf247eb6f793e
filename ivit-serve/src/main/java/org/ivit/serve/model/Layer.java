package org.ivit.serve.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.weight.WeightCodes;

/**
 * A product with weights, for a table of the model.
 *
 * @param name prefix of its parameters, such as {@code blocks.3.attn.qkv}
 * @param kind of its output node, such as {@code qkv}
 * @param shape outputs, inputs
 * @param bits of a weight
 * @param bytes of all its weights
 */
public record Layer(String name, String kind, List<Integer> shape, int bits, long bytes) {
  /** The layers of an integer model, with their weights as its file packs them. */
  static List<Layer> of(IntegerGraph graph) {
    List<LinearSpec> specs = graph.architecture().linears();
    List<Layer> layers = new ArrayList<>(specs.size());
    for (int i = 0; i < specs.size(); i++) {
      WeightCodes codes = graph.linears().get(i).codes();
      layers.add(of(specs.get(i), codes.bits(), codes.stored().length));
    }
    return layers;
  }

  /** The layers of a float model. */
  static List<Layer> of(Architecture architecture) {
    return architecture.linears().stream()
        .map(spec -> of(spec, Float.SIZE, (long) Float.BYTES * spec.inputs() * spec.outputs()))
        .toList();
  }

  private static Layer of(LinearSpec spec, int bits, long bytes) {
    return new Layer(
        spec.parameters(),
        spec.node().kind().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        List.of(spec.outputs(), spec.inputs()),
        bits,
        bytes);
  }
}
