package org.ivit.export.features;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * Features as {@link FeatureFormat#SAFETENSORS} holds them.
 *
 * @param features a row a picture
 * @param names of the pictures
 * @param metadata all of the file's, with what says which model made them
 */
public record FeatureFile(Features features, List<String> names, Map<String, String> metadata) {
  /** Key of the metadata: the SHA-256 of the model's file. */
  public static final String MODEL_SHA256 = "model_sha256";

  static final String FEATURES = "features";
  static final String FILES = "files";
  static final String SCALE = "scale";

  /** Copies. */
  public FeatureFile {
    names = List.copyOf(names);
    metadata = Map.copyOf(metadata);
  }

  /**
   * Reads a file.
   *
   * @throws InputException naming file, tensor or key, what was found and what was expected
   */
  public static FeatureFile read(Path file) {
    TensorFile tensors = Safetensors.read(file);
    Tensor tensor = tensors.get(FEATURES);
    long[] shape = tensor.shape();
    boolean integer = tensor.dtype() == DType.I32;
    if (!(integer || tensor.dtype() == DType.F32)
        || shape.length != 2
        || shape[0] < 1
        || shape[1] < 1) {
      throw new InputException(
          "%s: tensor %s: found %s %s, expected I32 or F32 [pictures, width]"
              .formatted(file, FEATURES, tensor.dtype(), Arrays.toString(shape)));
    }
    int width = (int) shape[1];
    Features features;
    if (integer) {
      features = Features.ofCodes(tensor.ints(), scale(file, tensors.metadata()), width);
    } else {
      int wrong = tensor.firstNotFinite();
      if (wrong >= 0) {
        throw new InputException(
            "%s: tensor %s: element %d is not finite, expected finite numbers"
                .formatted(file, FEATURES, wrong));
      }
      features = Features.ofValues(tensor.floats(), width);
    }
    return new FeatureFile(
        features, names(file, tensors.metadata(), features.count()), tensors.metadata());
  }

  private static float scale(Path file, Map<String, String> metadata) {
    String text = metadata.get(SCALE);
    try {
      float scale = Float.parseFloat(Objects.requireNonNullElse(text, ""));
      if (scale > 0 && Float.isFinite(scale)) {
        return scale;
      }
    } catch (NumberFormatException e) {
      throw badScale(file, text, e);
    }
    throw badScale(file, text, null);
  }

  private static InputException badScale(Path file, String text, Throwable cause) {
    return new InputException(
        "%s: metadata %s: found %s, expected a number above 0"
            .formatted(file, SCALE, text == null ? "nothing" : MessageText.quote(text)),
        cause);
  }

  private static List<String> names(Path file, Map<String, String> metadata, int count) {
    List<String> names = null;
    try {
      String json = metadata.get(FILES);
      if (json != null) {
        names = new ObjectMapper().readValue(json, new TypeReference<List<String>>() {});
      }
    } catch (JsonProcessingException e) {
      throw new InputException(
          "%s: metadata %s: found no JSON list of names: %s"
              .formatted(file, FILES, MessageText.problem(e)),
          e);
    }
    if (names == null || names.size() != count || names.stream().anyMatch(Objects::isNull)) {
      throw new InputException(
          "%s: metadata %s: found %s names, expected one for each of %d rows"
              .formatted(file, FILES, names == null ? 0 : names.size(), count));
    }
    return names;
  }
}
