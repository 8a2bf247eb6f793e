package org.ivit.core.checkpoint;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.weight.PackedBits;
import org.ivit.core.weight.WeightGrid;

/**
 * Integer checkpoints, {@code NAME.ivit.safetensors}: plain safetensors files with the tensors of
 * the graph and, as metadata, {@code format}, {@code version}, {@code graph}, {@code preprocess},
 * {@code classes}, {@code provenance} and {@code sha256}.
 */
public final class CheckpointFile {
  /** The value of {@code format} in the metadata. */
  public static final String FORMAT = "ivit";

  /**
   * The version that is written where weights have 8 bits: the architecture is a chain of parts.
   */
  public static final String VERSION = "2";

  /** The version of files with weights of fewer bits. */
  public static final String PACKED_VERSION = "3";

  /** The versions that are read; in version 1 the architecture is the description of a family. */
  private static final Set<String> READ = Set.of("1", VERSION, PACKED_VERSION);

  private static final String FORMAT_KEY = "format";
  private static final String VERSION_KEY = "version";
  private static final String GRAPH = "graph";
  private static final String PREPROCESS = "preprocess";
  private static final String CLASSES = "classes";
  private static final String PROVENANCE = "provenance";
  private static final Set<String> KEYS =
      Set.of(FORMAT_KEY, VERSION_KEY, GRAPH, PREPROCESS, CLASSES, PROVENANCE, FileDigest.KEY);

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .withCoercionConfig(
              LogicalType.Textual,
              config ->
                  config
                      .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
          .defaultSetterInfo(JsonSetter.Value.construct(Nulls.FAIL, Nulls.FAIL))
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .build();

  private CheckpointFile() {}

  /**
   * Whether a file says that it is an integer checkpoint, of any version.
   *
   * @param metadata of a safetensors file
   */
  public static boolean isCheckpoint(Map<String, String> metadata) {
    return FORMAT.equals(metadata.get(FORMAT_KEY));
  }

  /**
   * The digest of its contents that a checkpoint states, which is not the SHA-256 of the file: it
   * lies in the file, so it is computed with zeros in its own place.
   *
   * @param metadata of an integer checkpoint
   */
  public static String digest(Map<String, String> metadata) {
    return metadata.get(FileDigest.KEY);
  }

  /**
   * Writes a checkpoint atomically. Equal checkpoints give equal bytes.
   *
   * @param file the file to create or replace
   * @param checkpoint the model
   * @return the digest that the file carries
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public static String write(Path file, IntegerCheckpoint checkpoint) {
    Map<String, Tensor> tensors = tensors(checkpoint.graph());
    Map<String, String> metadata = metadata(checkpoint);
    String[] digest = new String[1];
    AtomicFiles.write(file, stream -> digest[0] = FileDigest.write(stream, tensors, metadata));
    return digest[0];
  }

  /**
   * How many bytes {@link #write} makes of a checkpoint.
   *
   * @param checkpoint the model
   */
  public static long bytes(IntegerCheckpoint checkpoint) {
    return FileDigest.bytes(tensors(checkpoint.graph()), metadata(checkpoint));
  }

  /**
   * How many bytes the weights of a linear layer take in a file, with what their indices decode to.
   *
   * @param grid of the layer, or null for 8 bits
   */
  public static long weightBytes(int outputs, int inputs, WeightGrid grid) {
    if (grid == null) {
      return (long) outputs * inputs;
    }
    WeightForm form = WeightForm.of(grid);
    int constants =
        switch (grid.coding()) {
          case TABLE -> 1 << grid.bits();
          case GROUP -> form.multiplierBytes(inputs);
          case UNIFORM -> 0;
        };
    return (long) outputs * (PackedBits.rowBytes(inputs, grid.bits()) + constants);
  }

  private static Map<String, Tensor> tensors(IntegerGraph graph) {
    Map<String, Tensor> all = GraphTensors.of(graph);
    return packed(graph) ? PackedConstants.pack(all) : all;
  }

  private static boolean packed(IntegerGraph graph) {
    return graph.linears().stream().anyMatch(linear -> linear.codes().grid() != null);
  }

  static Map<String, String> metadata(IntegerCheckpoint checkpoint) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT_KEY, FORMAT);
    metadata.put(VERSION_KEY, packed(checkpoint.graph()) ? PACKED_VERSION : VERSION);
    metadata.put(GRAPH, text(GraphDescription.of(checkpoint.graph())));
    metadata.put(PREPROCESS, text(checkpoint.preprocess().toJson()));
    metadata.put(CLASSES, text(checkpoint.classes()));
    metadata.put(PROVENANCE, text(checkpoint.provenance()));
    return metadata;
  }

  private static String text(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads a checkpoint and checks everything before use: the file's structure, format and version,
   * the digest, metadata, tensor names, dtypes and shapes, ranges of all constants, and the bounds
   * of every accumulator.
   *
   * @param file a checkpoint
   * @return the model
   * @throws InputException one line naming the file, the tensor or key, and the reason
   */
  public static IntegerCheckpoint read(Path file) {
    TensorFile tensors = Safetensors.readToHeap(file);
    Map<String, String> metadata = tensors.metadata();
    if (!isCheckpoint(metadata)) {
      throw new InputException(
          "%s: not an integer checkpoint: metadata %s is %s, expected %s"
              .formatted(
                  file,
                  FORMAT_KEY,
                  metadata.containsKey(FORMAT_KEY)
                      ? MessageText.quote(metadata.get(FORMAT_KEY))
                      : "missing",
                  FORMAT));
    }
    if (!READ.contains(metadata.getOrDefault(VERSION_KEY, ""))) {
      throw new InputException(
          "%s: checkpoint version is %s, expected %s"
              .formatted(
                  file,
                  MessageText.quote(metadata.getOrDefault(VERSION_KEY, "")),
                  String.join(" or ", new TreeSet<>(READ))));
    }
    checkKeys(file, metadata.keySet());
    FileDigest.verify(file, metadata.get(FileDigest.KEY));
    try {
      return parse(tensors);
    } catch (InputException e) {
      throw new InputException(file + ": " + e.getMessage(), e);
    }
  }

  private static void checkKeys(Path file, Set<String> found) {
    Set<String> missing = new TreeSet<>(KEYS);
    missing.removeAll(found);
    List<String> unexpected = new ArrayList<>();
    for (String key : found) {
      if (!KEYS.contains(key)) {
        unexpected.add(MessageText.quote(key));
      }
    }
    if (!missing.isEmpty() || !unexpected.isEmpty()) {
      throw new InputException(
          "%s: metadata: missing %s, unexpected %s"
              .formatted(file, missing, "[" + MessageText.list(unexpected) + "]"));
    }
  }

  private static IntegerCheckpoint parse(TensorFile file) {
    GraphDescription description = description(file);
    Preprocess preprocess =
        Preprocess.fromJson(json(file, PREPROCESS, new TypeReference<JsonNode>() {}));
    List<String> classes = json(file, CLASSES, new TypeReference<>() {});
    Provenance provenance = json(file, PROVENANCE, new TypeReference<>() {});
    return new IntegerCheckpoint(
        GraphReader.read(
            file, description, file.metadata().get(VERSION_KEY).equals(PACKED_VERSION)),
        preprocess,
        classes,
        provenance);
  }

  /** A file without an epsilon, or weights of fewer bits, does not name them. */
  private static GraphDescription description(TensorFile file) {
    ObjectNode json = json(file, GRAPH, new TypeReference<>() {});
    if (!json.has(GraphDescription.NORM_EPSILON)) {
      json.put(GraphDescription.NORM_EPSILON, false);
    }
    if (!json.has(GraphDescription.WEIGHTS)) {
      json.putObject(GraphDescription.WEIGHTS);
    }
    try {
      return JSON.treeToValue(json, GraphDescription.class);
    } catch (JsonProcessingException e) {
      throw new InputException("metadata " + GRAPH + ": " + MessageText.problem(e), e);
    }
  }

  private static <T> T json(TensorFile file, String key, TypeReference<T> type) {
    T value;
    try {
      value = JSON.readValue(file.metadata().get(key), type);
    } catch (JsonProcessingException e) {
      throw new InputException("metadata " + key + ": " + MessageText.problem(e), e);
    }
    if (value == null) {
      throw new InputException("metadata " + key + ": found null");
    }
    return value;
  }
}
