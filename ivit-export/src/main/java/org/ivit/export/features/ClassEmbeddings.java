package org.ivit.export.features;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * A vector for each class, such as CLIP's text tower makes of {@code a photo of a dog}, or the rows
 * of a linear classifier: pictures are classified by how alike their features are to each.
 */
public final class ClassEmbeddings {
  private static final String EMBEDDINGS = "embeddings";
  private static final String BIAS = "bias";
  private static final String CLASSES = "classes";
  private static final String SIMILARITY = "similarity";

  /** What a class's score is, before its bias is added. */
  private enum Similarity {
    COSINE,
    DOT
  }

  private final Cosines rows;
  private final Similarity similarity;
  private final double[] bias;
  private final List<String> classes;

  private ClassEmbeddings(
      Features rows, Similarity similarity, double[] bias, List<String> classes) {
    this.rows = new Cosines(rows);
    this.similarity = similarity;
    this.bias = bias;
    this.classes = classes;
  }

  /**
   * Reads a safetensors file: {@code embeddings} F32 [classes, width]; {@code bias} F32 [classes],
   * or none; in the metadata {@code classes}, a JSON list of their names, and {@code similarity},
   * {@code cosine} (where it says nothing) or {@code dot}, for classifiers that do not normalise.
   *
   * @throws InputException naming file, tensor or key, what was found and what was expected
   */
  public static ClassEmbeddings read(Path file) {
    TensorFile tensors = Safetensors.read(file);
    Tensor embeddings = tensors.get(EMBEDDINGS);
    long[] shape = embeddings.shape();
    if (embeddings.dtype() != DType.F32 || shape.length != 2 || shape[0] < 1 || shape[1] < 1) {
      throw refused(file, EMBEDDINGS, embeddings, "F32 [classes, width]");
    }
    double[] bias = new double[(int) shape[0]];
    Tensor added = tensors.tensors().get(BIAS);
    if (added != null) {
      if (added.dtype() != DType.F32 || !Arrays.equals(added.shape(), new long[] {shape[0]})) {
        throw refused(file, BIAS, added, "F32 [" + shape[0] + "], one number a class");
      }
      requireFinite(file, BIAS, added);
      bias = added.doubles();
    }
    requireFinite(file, EMBEDDINGS, embeddings);
    return new ClassEmbeddings(
        Features.ofValues(embeddings.floats(), (int) shape[1]),
        similarity(file, tensors.metadata().get(SIMILARITY)),
        bias,
        classes(file, tensors.metadata().get(CLASSES), (int) shape[0]));
  }

  private static InputException refused(Path file, String name, Tensor found, String expected) {
    return new InputException(
        "%s: tensor %s: found %s %s, expected %s"
            .formatted(file, name, found.dtype(), Arrays.toString(found.shape()), expected));
  }

  private static void requireFinite(Path file, String name, Tensor tensor) {
    int wrong = tensor.firstNotFinite();
    if (wrong >= 0) {
      throw new InputException(
          "%s: tensor %s: element %d is not finite, expected finite numbers"
              .formatted(file, name, wrong));
    }
  }

  private static Similarity similarity(Path file, String word) {
    for (Similarity similarity : Similarity.values()) {
      if (word == null || word.equals(similarity.name().toLowerCase(Locale.ROOT))) {
        return similarity;
      }
    }
    throw new InputException(
        "%s: metadata %s: found %s, expected cosine or dot"
            .formatted(file, SIMILARITY, MessageText.quote(word)));
  }

  private static List<String> classes(Path file, String json, int count) {
    if (json == null) {
      return List.of();
    }
    List<String> names;
    try {
      names = new ObjectMapper().readValue(json, new TypeReference<List<String>>() {});
    } catch (JsonProcessingException e) {
      throw new InputException(
          "%s: metadata %s: found no JSON list of names: %s"
              .formatted(file, CLASSES, MessageText.problem(e)),
          e);
    }
    if (names == null || names.size() != count || names.stream().anyMatch(Objects::isNull)) {
      throw new InputException(
          "%s: metadata %s: found %s names, expected %d as %s has rows"
              .formatted(file, CLASSES, names == null ? 0 : names.size(), count, EMBEDDINGS));
    }
    return List.copyOf(names);
  }

  /** How many classes there are. */
  public int size() {
    return rows.rows().count();
  }

  /** Numbers of an embedding: features must be as wide. */
  public int width() {
    return rows.rows().width();
  }

  /** Names of the classes in order, as folders are called by; empty where the file names none. */
  public List<String> classes() {
    return classes;
  }

  /**
   * Classifies features.
   *
   * @param features as wide as the embeddings
   * @param row of the picture
   * @return all classes, that with the largest score first
   */
  public Ranking of(Cosines features, int row) {
    double[] scores = new double[size()];
    for (int c = 0; c < scores.length; c++) {
      double alike =
          similarity == Similarity.COSINE
              ? features.of(row, rows, c)
              : features.product(row, rows, c) * features.rows().scale();
      scores[c] = alike + bias[c];
    }
    return Ranking.of(scores);
  }
}
