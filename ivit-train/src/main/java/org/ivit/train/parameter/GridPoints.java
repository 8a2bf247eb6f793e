package org.ivit.train.parameter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.weight.WeightGrid;

/**
 * The points of a network's grids ({@link GridForm}) among its float weights: beside the value of
 * {@code NAME.weight} they are that of {@code NAME.weight_grid}, and scale and grid follow from
 * them.
 */
public final class GridPoints {
  private static final JsonMapper JSON = new JsonMapper();

  /** The key of {@link #text} in a file's metadata. */
  public static final String METADATA = "grids";

  private GridPoints() {}

  /**
   * The forms of a network's grids.
   *
   * @param grids by name of the weight
   * @param learned whether training moves them
   */
  public static Map<String, GridForm> forms(Map<String, WeightGrid> grids, boolean learned) {
    Map<String, GridForm> forms = new LinkedHashMap<>();
    grids.forEach((name, grid) -> forms.put(name, GridForm.of(grid, learned)));
    return forms;
  }

  /**
   * The points of a weight's grid: those among the values, else those that its grid has.
   *
   * @param weights with a grid of that weight
   * @param name of the weight
   * @throws InputException if it has none
   */
  public static float[] of(FloatWeights weights, String name) {
    float[] points = weights.values().get(FloatWeights.gridName(name));
    if (points != null) {
      return points;
    }
    WeightGrid grid = weights.grid(name);
    if (grid == null) {
      throw new InputException(name + ": found no grid, expected one of fewer than 8 bits");
    }
    return GridForm.of(grid, true).points(grid, weights.frozenScale(name));
  }

  /** The same weights with the points of all their grids among the values. */
  public static FloatWeights beside(FloatWeights weights) {
    if (weights.grids().isEmpty()) {
      return weights;
    }
    Map<String, float[]> values = new LinkedHashMap<>(weights.values());
    weights
        .grids()
        .keySet()
        .forEach(name -> values.put(FloatWeights.gridName(name), of(weights, name)));
    return new FloatWeights(values, weights.scales(), weights.grids());
  }

  /**
   * Weights with the grids and scales that follow from the points among their values.
   *
   * @param weights whose scales are those of weights of 8 bits
   * @param forms of grids, by name of the weight
   * @param architecture gives the shapes
   */
  public static FloatWeights rounded(
      FloatWeights weights, Map<String, GridForm> forms, Architecture architecture) {
    if (forms.isEmpty()) {
      return weights;
    }
    Map<String, float[]> scales = new LinkedHashMap<>(weights.scales());
    Map<String, WeightGrid> grids = new LinkedHashMap<>();
    forms.forEach(
        (name, form) -> {
          int outputs = Math.toIntExact(architecture.parameters().get(name)[0]);
          float[] points = weights.get(FloatWeights.gridName(name));
          GridForm.Rounded rounded =
              form.rounded(points, outputs, weights.get(name).length / outputs);
          scales.put(name, rounded.scale());
          grids.put(name, rounded.grid());
        });
    return new FloatWeights(weights.values(), scales, grids);
  }

  /** Forms as text for a file's metadata. */
  public static String text(Map<String, GridForm> forms) {
    return JSON.valueToTree(forms).toString();
  }

  /**
   * The weights of a file, with grids where it has points of them.
   *
   * @param file checked by {@link org.ivit.core.pretrained.WeightCheck}
   * @param architecture whose weights they are
   * @throws InputException if points and forms do not fit together
   */
  public static FloatWeights read(TensorFile file, Architecture architecture) {
    FloatWeights weights = FloatWeights.of(file.tensors());
    Map<String, GridForm> forms = new LinkedHashMap<>();
    Map<String, GridForm> said = forms(file);
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] points = weights.values().get(FloatWeights.gridName(name));
              if (points != null) {
                forms.put(name, form(file.source(), name, shape, said.get(name), points.length));
              }
            });
    return rounded(weights, forms, architecture);
  }

  private static Map<String, GridForm> forms(TensorFile file) {
    String text = file.metadata().get(METADATA);
    return text == null ? Map.of() : parse(file.source() + ": metadata " + METADATA, text);
  }

  /**
   * What {@link #text} wrote.
   *
   * @param source what messages call it
   * @throws InputException saying what is wrong
   */
  public static Map<String, GridForm> parse(String source, String text) {
    try {
      return JSON.readValue(text, new TypeReference<Map<String, GridForm>>() {});
    } catch (JsonProcessingException e) {
      throw new InputException(source + ": " + MessageText.problem(e), e);
    }
  }

  private static GridForm form(
      String source, String name, long[] shape, GridForm form, int points) {
    String tensor = FloatWeights.gridName(name);
    if (form == null) {
      throw new InputException(
          "%s: %s: found no form of it in metadata %s, expected bits and coding"
              .formatted(source, tensor, METADATA));
    }
    int inputs = 1;
    for (int i = 1; i < shape.length; i++) {
      inputs = Math.multiplyExact(inputs, Math.toIntExact(shape[i]));
    }
    long expected = shape[0] * form.points(inputs);
    if (points != expected) {
      throw new InputException(
          "%s: %s: found %d numbers, expected %d".formatted(source, tensor, points, expected));
    }
    return form;
  }
}
