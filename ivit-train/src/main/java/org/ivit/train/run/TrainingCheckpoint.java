package org.ivit.train.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.TextFiles;
import org.ivit.core.pretrained.TimmWeights;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.scheme.SchemeJson;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.train.parameter.GridPoints;

/**
 * One training checkpoint, a folder: {@code weights.safetensors} (timm names), {@code
 * ema.safetensors}, {@code ranges.json} (ranges and quantization scheme), {@code
 * optimizer.safetensors}, {@code state.json}.
 *
 * @param weights parameters by timm name
 * @param average moving average of the weights, or null
 * @param scheme how the network is quantized; null in floating point
 * @param ranges by full node name; empty in floating point
 * @param optimizer state of the updater, in Deeplearning4j's order; empty where nothing trains
 * @param state where the run stands
 */
public record TrainingCheckpoint(
    FloatWeights weights,
    FloatWeights average,
    Scheme scheme,
    SortedMap<String, Range> ranges,
    float[] optimizer,
    TrainingState state) {
  static final String WEIGHTS = "weights.safetensors";
  static final String AVERAGE = "ema.safetensors";
  private static final String TIMM = "timm_";
  private static final String OPTIMIZER = "optimizer.safetensors";
  private static final String RANGES = "ranges.json";
  private static final String STATE = "state.json";
  private static final String OPTIMIZER_STATE = "state";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * Writes the folder: all of it or nothing.
   *
   * @param folder must not exist
   * @param architecture gives the shapes
   */
  void write(Path folder, Architecture architecture) {
    AtomicFiles.writeDirectory(
        folder,
        into -> {
          writeWeights(into, WEIGHTS, weights, architecture);
          if (average != null) {
            writeWeights(into, AVERAGE, average, architecture);
          }
          if (scheme != null) {
            Files.writeString(into.resolve(RANGES), rangesJson());
          }
          Safetensors.write(
              into.resolve(OPTIMIZER),
              Map.of(OPTIMIZER_STATE, Tensor.of(optimizer, optimizer.length)),
              Map.of());
          Files.writeString(into.resolve(STATE), state.toJson());
        });
  }

  /** Writes parameters, and beside them those of timm where it has others. */
  private static void writeWeights(
      Path folder, String name, FloatWeights weights, Architecture architecture) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach((key, shape) -> tensors.put(key, Tensor.of(weights.get(key), shape)));
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("architecture", Architectures.toJson(architecture).toString());
    metadata.put("format", "pt");
    Map<String, Tensor> timm =
        TimmWeights.of(new TensorFile(tensors, metadata), architecture).tensors();
    if (!timm.keySet().equals(tensors.keySet())) {
      Safetensors.write(folder.resolve(TIMM + name), timm, metadata);
    }
    weights
        .scales()
        .forEach(
            (key, scale) -> {
              if (weights.grid(key) == null) {
                tensors.put(FloatWeights.scaleName(key), Tensor.of(scale, scale.length));
              } else {
                float[] points = GridPoints.of(weights, key);
                tensors.put(
                    FloatWeights.gridName(key),
                    Tensor.of(points, scale.length, points.length / scale.length));
              }
            });
    if (!weights.grids().isEmpty()) {
      metadata.put(GridPoints.METADATA, GridPoints.text(GridPoints.forms(weights.grids(), true)));
    }
    Safetensors.write(folder.resolve(name), tensors, metadata);
  }

  private String rangesJson() {
    ObjectNode json = JSON.createObjectNode();
    json.set("scheme", SchemeJson.write(scheme));
    ObjectNode nodes = json.putObject("ranges");
    ranges.forEach(
        (node, range) -> {
          ArrayNode pair = nodes.putArray(node);
          pair.add(range.min());
          pair.add(range.max());
        });
    try {
      return JSON.writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads a folder.
   *
   * @param folder of the checkpoint
   * @param architecture gives names and shapes
   * @throws InputException naming the file that is missing or cannot be used
   */
  static TrainingCheckpoint read(Path folder, Architecture architecture) {
    FloatWeights average =
        Files.exists(folder.resolve(AVERAGE))
            ? readWeights(folder.resolve(AVERAGE), architecture)
            : null;
    Scheme scheme = null;
    SortedMap<String, Range> ranges = new TreeMap<>();
    Path rangesFile = folder.resolve(RANGES);
    if (Files.exists(rangesFile)) {
      scheme = readRanges(rangesFile, ranges);
    }
    return new TrainingCheckpoint(
        readWeights(folder.resolve(WEIGHTS), architecture),
        average,
        scheme,
        ranges,
        Safetensors.read(folder.resolve(OPTIMIZER)).get(OPTIMIZER_STATE).floats(),
        readState(folder));
  }

  /** Reads only where the run stood. */
  static TrainingState readState(Path folder) {
    Path file = folder.resolve(STATE);
    return TrainingState.parse(file.toString(), text(file));
  }

  private static FloatWeights readWeights(Path file, Architecture architecture) {
    TensorFile tensors = Safetensors.read(file);
    WeightCheck.check(tensors, architecture);
    return GridPoints.read(tensors, architecture);
  }

  private static Scheme readRanges(Path file, SortedMap<String, Range> ranges) {
    try {
      JsonNode json = JSON.readTree(text(file));
      json.path("ranges")
          .fields()
          .forEachRemaining(
              entry ->
                  ranges.put(
                      entry.getKey(),
                      new Range(
                          entry.getValue().path(0).floatValue(),
                          entry.getValue().path(1).floatValue())));
      return SchemeJson.read(json.path("scheme"));
    } catch (JsonProcessingException e) {
      throw new InputException(file + ": " + MessageText.problem(e), e);
    } catch (InputException e) {
      throw new InputException(file + ": " + e.getMessage(), e);
    }
  }

  private static String text(Path file) {
    return TextFiles.read(file, "a part of a training checkpoint");
  }
}
