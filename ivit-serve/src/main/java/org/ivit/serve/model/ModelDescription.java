package org.ivit.serve.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Answer;
import org.ivit.core.engine.Backend;
import org.ivit.core.image.Preprocess;
import org.ivit.core.model.ClassLabel;

/**
 * What is known of a model and of what runs it.
 *
 * @param integer whether it answers with integers
 * @param architecture name, such as {@code deit_tiny_patch16_224}
 * @param family such as {@code vit}
 * @param answer what it answers with
 * @param classes in the order of the logits; none where it answers with features
 * @param outputs number of classes, or channels of a feature
 * @param scale what one of its integers is worth; 1 of a float model
 * @param preprocess how a picture becomes its input
 * @param engine name, such as {@code cpu}, or {@code float}
 * @param backend kernels, processor and threads
 * @param bytes of its file; of a folder, of its parameters
 * @param layers its products with weights, in order of execution
 */
public record ModelDescription(
    boolean integer,
    String architecture,
    String family,
    Answer answer,
    List<ClassLabel> classes,
    int outputs,
    float scale,
    Preprocess preprocess,
    String engine,
    Backend backend,
    long bytes,
    List<Layer> layers) {
  /** Copies. */
  public ModelDescription {
    classes = List.copyOf(classes);
    layers = List.copyOf(layers);
  }

  /** Whether it answers with classes. */
  public boolean classifies() {
    return answer == Answer.CLASSES;
  }

  /** How many bits most weights have. */
  public int bits() {
    Map<Integer, Long> weights = new HashMap<>();
    layers.forEach(
        layer ->
            weights.merge(
                layer.bits(), (long) layer.shape().get(0) * layer.shape().get(1), Long::sum));
    return weights.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
  }
}
