package org.ivit.core.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/** One of the golden micro models. */
public final class GoldenModel {
  /** The golden models, each a form of GELU and softmax. */
  public static final List<String> NAMES =
      List.of(
          "micro_vit",
          "micro_vit_row",
          "micro_vit_exact",
          "micro_vit_outliers",
          "micro_swin",
          "micro_swin_exact",
          "micro_swin_window7");

  /** The ViTs among them. */
  public static final List<String> VITS =
      List.of("micro_vit", "micro_vit_row", "micro_vit_exact", "micro_vit_outliers");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String name;

  /**
   * @param name folder of the golden files; the test is skipped where they are missing
   */
  public GoldenModel(String name) {
    this.name = name;
  }

  /** Returns a file of the model, such as {@code trace}. */
  public TensorFile file(String file) {
    return Safetensors.read(Shared.path("golden/" + name + "/" + file + ".safetensors"));
  }

  /** Returns the sizes; all golden models, the Swins too, have an epsilon of 1e-6. */
  public Architecture architecture() {
    String text = file("weights").metadata().get("architecture");
    return Architectures.parse(text.replaceFirst("\\{", "{\"epsilon\": 1e-6, "));
  }

  /** Returns how many pictures a calibration batch and the trace have. */
  public int pictures() {
    return (int) file("calibration").get("images_eval").shape()[0];
  }

  /** Returns the float weights. */
  public FloatWeights weights() {
    return FloatWeights.of(file("weights").tensors());
  }

  /** Returns forms, attention bits and outlier channels. */
  public Scheme scheme() {
    var metadata = file("trace").metadata();
    SortedMap<String, OutlierChannels> outliers = new TreeMap<>();
    try {
      JsonNode json = JSON.readTree(metadata.get("outliers"));
      json.fields()
          .forEachRemaining(
              entry -> outliers.put(entry.getKey(), outlierChannels(entry.getValue())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Scheme(
        GeluForm.valueOf(metadata.get("gelu").toUpperCase(java.util.Locale.ROOT)),
        SoftmaxForm.valueOf(metadata.get("softmax").toUpperCase(java.util.Locale.ROOT)),
        Integer.parseInt(metadata.get("attention_bits")),
        outliers);
  }

  private static OutlierChannels outlierChannels(JsonNode json) {
    List<Integer> channels = new ArrayList<>();
    json.get("channels").forEach(c -> channels.add(c.asInt()));
    return new OutlierChannels(
        channels.stream().mapToInt(Integer::intValue).toArray(), json.get("shift").asInt());
  }

  /** Returns the golden ranges. */
  public SortedMap<String, Range> ranges() {
    SortedMap<String, Range> ranges = new TreeMap<>();
    file("ranges")
        .tensors()
        .forEach(
            (node, tensor) -> ranges.put(node, new Range(tensor.floats()[0], tensor.floats()[1])));
    return ranges;
  }

  /** Returns the graph frozen with the golden ranges. */
  public IntegerGraph graph() {
    return GraphBuilder.build(architecture(), weights(), scheme(), ranges());
  }

  /** Returns calibration batch {@code i}, normalised pixels, [pictures][3][image][image]. */
  public float[] calibrationBatch(int i) {
    Tensor images = file("calibration").get("images");
    float[] all = images.floats();
    int length = all.length / (int) images.shape()[0];
    return Arrays.copyOfRange(all, i * length, (i + 1) * length);
  }

  /** Returns the pictures of the trace, normalised pixels, [pictures][3][image][image]. */
  public float[] evalPixels() {
    return file("calibration").get("images_eval").floats();
  }

  /** Returns the pictures of the trace as input codes of {@code graph}. */
  public byte[] evalCodes(IntegerGraph graph) {
    return Quantizer.codes8("images_eval", evalPixels(), graph.inputScale());
  }
}
