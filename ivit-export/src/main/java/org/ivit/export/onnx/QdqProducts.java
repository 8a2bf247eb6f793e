package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/**
 * Products between pairs of QuantizeLinear and DequantizeLinear, in the form that ONNX Runtime
 * fuses to integer products: a Gemm of activations in unsigned bytes with one scale, weights in
 * bytes ({@link QdqWeights}) with a scale and a zero point a channel, and a 32-bit bias. (A MatMul
 * with an Add after it is fused as well, to something slower than float.) Outlier channels, which
 * have no such form, go into a small float product beside. Weights of at most 4 bits are decoded to
 * the same bytes by {@link NibbleWeights}. Attention stays in float: pairs around its small
 * products cost more than they save.
 */
final class QdqProducts implements Products {
  private static final int BYTE = 128;

  private final OnnxGraph graph;
  private final Tokens tokens;
  private final NibbleWeights nibbles;
  private final FloatWeights weights;
  private final Scheme scheme;
  private final Map<String, Float> scales;
  private final QdqWeights form;

  /**
   * @param weights of the layers, with the scales of their codes
   * @param scales of the nodes that feed them
   * @param form of the weights
   */
  QdqProducts(
      OnnxGraph graph,
      FloatWeights weights,
      Scheme scheme,
      Map<String, Float> scales,
      QdqWeights form) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.nibbles = new NibbleWeights(graph, form);
    this.weights = weights;
    this.scheme = scheme;
    this.scales = scales;
    this.form = form;
  }

  @Override
  public String linear(LinearSpec layer, String rows) {
    String name = layer.parameters();
    Node from = layer.input();
    float[] weight = weights.get(layer.weight());
    float[] scale = weights.frozenScale(layer.weight());
    OutlierChannels outliers = scheme.outliers(from);
    float input = scales.get(from.name());
    String x = pair(rows, from.name(), input, scheme.offset(from, input));
    String w = weight(name, weight, scale, weights.grid(layer.weight()), outliers);
    String product =
        layer.biased()
            ? graph.node("Gemm", name, List.of(x, w, bias(name, scale, input)))
            : graph.node("Gemm", name, List.of(x, w));
    return outliers.isEmpty()
        ? product
        : graph.node(
            "Add",
            name + "/sum",
            List.of(product, beside(name, weight, scale.length, outliers, rows)));
  }

  /** To codes and back: {@code x/scale − offset} in signed bytes, written as unsigned ones. */
  private String pair(String x, String name, float scale, int offset) {
    String s = graph.scalar(scale);
    String zero = graph.zeroPoint(DataType.UINT8, BYTE - offset);
    String codes = graph.node("QuantizeLinear", name + "/quantize", List.of(x, s, zero));
    return graph.node("DequantizeLinear", name + "/dequantize", List.of(codes, s, zero));
  }

  /** The weights, [inputs, outputs], zeros for outlier channels. */
  private String weight(
      String name, float[] weight, float[] scale, WeightGrid grid, OutlierChannels outliers) {
    int outputs = scale.length;
    byte[] codes = new byte[weight.length];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (byte) Math.rint(weight[i] / (double) scale[i / (codes.length / outputs)]);
    }
    byte[] zeros = new byte[outputs];
    Arrays.fill(zeros, (byte) form.zeroPoint());
    return graph.node(
        "DequantizeLinear",
        name + ".weight/dequantize",
        List.of(
            NibbleWeights.hold(grid)
                ? nibbles.codes(name + ".weight", WeightCodes.of(grid, codes, outputs), outliers)
                : bytes(name + ".weight", codes, outputs, outliers),
            graph.floats(name + ".weight_scale", scale, outputs),
            graph.bytes(name + ".weight_zero", form.type(), zeros, outputs)),
        attribute("axis", 1L));
  }

  private String bytes(String name, byte[] codes, int outputs, OutlierChannels outliers) {
    int inputs = codes.length / outputs;
    byte[] turned = new byte[codes.length];
    for (int c = 0; c < outputs; c++) {
      for (int k = 0; k < inputs; k++) {
        int code = outliers.contains(k) ? 0 : codes[c * inputs + k];
        turned[k * outputs + c] = (byte) (code + form.zeroPoint());
      }
    }
    return graph.bytes(name, form.type(), turned, inputs, outputs);
  }

  private String bias(String name, float[] scale, float input) {
    float[] bias = weights.get(name + ".bias");
    int[] codes = new int[bias.length];
    float[] steps = new float[bias.length];
    for (int c = 0; c < codes.length; c++) {
      steps[c] = scale[c] * input;
      codes[c] = (int) Math.rint(bias[c] / (double) steps[c]);
    }
    return graph.node(
        "DequantizeLinear",
        name + ".bias/dequantize",
        List.of(
            graph.ints(name + ".bias", codes, codes.length),
            graph.floats(name + ".bias_scale", steps, codes.length)),
        attribute("axis", 0L));
  }

  private String beside(
      String name, float[] weight, int outputs, OutlierChannels outliers, String rows) {
    int inputs = weight.length / outputs;
    int[] channels = outliers.channels();
    float[] part = new float[channels.length * outputs];
    for (int i = 0; i < channels.length; i++) {
      for (int c = 0; c < outputs; c++) {
        part[i * outputs + c] = weight[c * inputs + channels[i]];
      }
    }
    String x = tokens.gather(rows, name + ".outliers", channels, 1);
    String w = graph.floats(name + ".outlier_weight", part, channels.length, outputs);
    return graph.node("MatMul", name + "/outliers", List.of(x, w));
  }

  @Override
  public String patches(Stem stem, String pixels) {
    LinearSpec layer = stem.projection();
    return linear(layer, tokens.unfold(pixels, layer.parameters(), stem.image(), stem.patch()));
  }
}
