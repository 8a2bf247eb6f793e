package org.ivit.core.checkpoint;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.dataset.ClassList;

/**
 * The classes of a model: identifiers, which folders are named by, and readable names. In a
 * checkpoint a class is one text, as in a class list file: its name, or its identifier, a tab and
 * its names.
 *
 * @param ids in order of the logits
 * @param names in order of the logits
 */
public record ClassNames(List<String> ids, List<String> names) {
  /** Nothing is known about the classes. */
  public static final ClassNames UNKNOWN = new ClassNames(List.of(), List.of());

  private static final String NUMBERED = "class ";

  /** Copies. */
  public ClassNames {
    ids = List.copyOf(ids);
    names = List.copyOf(names);
  }

  /** Those of a class list file. */
  public static ClassNames of(ClassList list) {
    return new ClassNames(list.ids(), list.names());
  }

  /** Those of a checkpoint; unknown where it only numbers them. */
  public static ClassNames parse(List<String> classes) {
    if (classes.equals(numbered(classes.size()))) {
      return UNKNOWN;
    }
    return new ClassNames(
        classes.stream()
            .map(c -> c.indexOf('\t') < 0 ? c : c.substring(0, c.indexOf('\t')))
            .toList(),
        classes.stream().map(c -> c.substring(c.indexOf('\t') + 1)).toList());
  }

  /** As a checkpoint holds them: numbers where they are unknown. */
  public List<String> toList(int count) {
    if (ids.isEmpty()) {
      return numbered(count);
    }
    return IntStream.range(0, count)
        .mapToObj(
            i -> ids.get(i).equals(names.get(i)) ? names.get(i) : ids.get(i) + "\t" + names.get(i))
        .toList();
  }

  /** As a checkpoint of a model holds them: none where it answers with features. */
  public List<String> toList(Architecture architecture) {
    return architecture.answer() == Answer.CLASSES ? toList(architecture.classes()) : List.of();
  }

  private static List<String> numbered(int count) {
    return IntStream.range(0, count).mapToObj(i -> NUMBERED + i).toList();
  }
}
