package org.ivit.export.onnx;

import java.util.List;
import org.ivit.core.architecture.ActivationSpec;

/** Activation functions in floating point, in the orders of operators that runtimes recognise. */
final class Activations {
  private final OnnxGraph graph;

  Activations(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * @param x what goes into the function, of any shape
   * @return its values, of the same shape
   */
  String write(ActivationSpec spec, String x) {
    String name = spec.node().name();
    return switch (spec.function()) {
      case GELU -> gelu(name, x);
      case QUICK_GELU -> quickGelu(name, x);
      case GELU_TANH -> geluTanh(name, x);
    };
  }

  /** x·(1 + erf(x/√2))·½. */
  private String gelu(String name, String x) {
    String scaled =
        graph.node("Div", name + "/div", List.of(x, graph.scalar((float) Math.sqrt(2))));
    String erf = graph.node("Erf", name + "/erf", List.of(scaled));
    String sum = graph.node("Add", name + "/add", List.of(erf, graph.scalar(1f)));
    String product = graph.node("Mul", name + "/mul", List.of(x, sum));
    return graph.node("Mul", name, List.of(product, graph.scalar(0.5f)));
  }

  /** x·σ(1.702·x). */
  private String quickGelu(String name, String x) {
    String scaled = graph.node("Mul", name + "/scale", List.of(x, graph.scalar(1.702f)));
    String sigmoid = graph.node("Sigmoid", name + "/sigmoid", List.of(scaled));
    return graph.node("Mul", name, List.of(x, sigmoid));
  }

  /** x·σ(x). */
  String silu(String name, String x) {
    String sigmoid = graph.node("Sigmoid", name + "/sigmoid", List.of(x));
    return graph.node("Mul", name + "/silu", List.of(x, sigmoid));
  }

  /** (x·½)·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
  private String geluTanh(String name, String x) {
    String cube = graph.node("Pow", name + "/cube", List.of(x, graph.scalar(3f)));
    String part = graph.node("Mul", name + "/part", List.of(cube, graph.scalar(0.044715f)));
    String inner = graph.node("Add", name + "/inner", List.of(x, part));
    String scaled =
        graph.node(
            "Mul", name + "/scale", List.of(inner, graph.scalar((float) Math.sqrt(2 / Math.PI))));
    String tanh = graph.node("Tanh", name + "/tanh", List.of(scaled));
    String sum = graph.node("Add", name + "/add", List.of(tanh, graph.scalar(1f)));
    String half = graph.node("Mul", name + "/half", List.of(x, graph.scalar(0.5f)));
    return graph.node("Mul", name, List.of(half, sum));
  }
}
