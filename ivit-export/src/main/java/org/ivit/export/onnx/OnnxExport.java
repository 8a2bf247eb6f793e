package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.nio.file.Path;
import java.util.Arrays;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.Dequantized;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.weight.WeightGrid;

/**
 * Writes models as ONNX files, opset {@value OnnxGraph#OPSET}, or {@value OnnxGraph#NIBBLE_OPSET}
 * where weights have 4 bits; any batch size.
 */
public final class OnnxExport {
  private OnnxExport() {}

  /** The formats, as the command line names them. */
  public enum Format {
    /** The float network: input float32 normalised pixels, [batch, 3, height, width]. */
    FLOAT("onnx"),
    /** The same with quantized products; the same input. */
    QDQ("onnx-qdq"),
    /** The integer model itself: input uint8 pixels, [batch, 3, height, width], int32 answer. */
    INTEGER("onnx-integer");

    private final String key;

    Format(String key) {
      this.key = key;
    }

    /**
     * @throws InputException if there is none of that name
     */
    public static Format of(String key) {
      return Arrays.stream(values())
          .filter(format -> format.key.equals(key))
          .findFirst()
          .orElseThrow(() -> new InputException("no ONNX format is called '" + key + "'"));
    }

    /** Its name on the command line and in the file's metadata. */
    public String key() {
      return key;
    }
  }

  /**
   * The float network.
   *
   * @param weights that fit the architecture, as {@link WeightCheck} proves
   * @throws InputException if a weight is missing or the model is too large
   */
  public static ModelProto floating(
      Architecture architecture, FloatWeights weights, OnnxDescription description) {
    OnnxGraph graph = new OnnxGraph(architecture.name());
    FloatProducts products = new FloatProducts(graph, weights);
    new FloatGraph(graph, weights, products).write(architecture);
    return model(graph, Format.FLOAT, architecture, description);
  }

  /**
   * The float network that an integer graph stands for, its products quantized. Weights of at most
   * 4 bits are written as such, others as 8-bit codes.
   *
   * @param form of the weights
   * @throws InputException if the model is too large
   */
  public static ModelProto quantized(
      IntegerGraph integers, QdqWeights form, OnnxDescription description) {
    return quantized(integers, Dequantized.of(integers), form, description);
  }

  /**
   * Whether {@link #quantized} writes a layer's weights in 4 bits.
   *
   * @param grid of their codes, or null where these have 8 bits
   */
  public static boolean holdsNibbles(WeightGrid grid) {
    return NibbleWeights.hold(grid);
  }

  /**
   * As the public one.
   *
   * @param weights that the graph stands for
   */
  static ModelProto quantized(
      IntegerGraph integers, FloatWeights weights, QdqWeights form, OnnxDescription description) {
    Architecture architecture = integers.architecture();
    boolean nibbles = weights.grids().values().stream().anyMatch(NibbleWeights::hold);
    OnnxGraph graph = new OnnxGraph(architecture.name(), nibbles);
    QdqProducts products =
        new QdqProducts(graph, weights, integers.scheme(), integers.scales(), form);
    new FloatGraph(graph, weights, products).write(architecture);
    return model(graph, Format.QDQ, architecture, description);
  }

  /**
   * An integer model in integer operators, equal to the engines' in every number.
   *
   * @throws InputException if the model is too large, or a requantization could pass 64 bits
   */
  public static ModelProto integer(IntegerGraph integers, OnnxDescription description) {
    OnnxGraph graph = new OnnxGraph(integers.architecture().name());
    Preprocess preprocess = description.preprocess();
    PixelTable pixels = PixelTable.of(preprocess.mean(), preprocess.std(), integers.inputScale());
    new IntegerNetwork(graph).write(integers, pixels);
    return model(graph, Format.INTEGER, integers.architecture(), description);
  }

  private static ModelProto model(
      OnnxGraph graph, Format format, Architecture architecture, OnnxDescription description) {
    return graph.model(
        description.provenance().version(), description.metadata(format.key(), architecture));
  }

  /**
   * Writes a model, whole or not at all.
   *
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public static void write(Path file, ModelProto model) {
    AtomicFiles.write(file, model::writeTo);
  }
}
