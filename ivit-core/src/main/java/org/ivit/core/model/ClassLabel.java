package org.ivit.core.model;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.checkpoint.ClassNames;

/**
 * A class of a model.
 *
 * @param index its number, from 0
 * @param id its identifier, such as a WordNet identifier; its name where it has none
 * @param name its readable name; {@code class 7} where the checkpoint only numbers it
 */
public record ClassLabel(int index, String id, String name) {
  /**
   * Those of a model.
   *
   * @param classes as a checkpoint names them, {@link ClassNames#toList}; none where the model
   *     answers with features
   */
  public static List<ClassLabel> of(List<String> classes) {
    ClassNames known = ClassNames.parse(classes);
    ClassNames names = known.ids().isEmpty() ? new ClassNames(classes, classes) : known;
    return IntStream.range(0, classes.size())
        .mapToObj(i -> new ClassLabel(i, names.ids().get(i), names.names().get(i)))
        .toList();
  }
}
