package org.ivit.spark.dataset;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;

/**
 * The classes of files and the class of every row.
 *
 * @param classes in the order of the labels
 * @param labels of all rows of all files
 */
record TableLabels(ClassList classes, int[] labels) {
  private static final int MOST_CLASSES = 1_000_000;

  /**
   * Brings together what files and user say.
   *
   * <p>Numbers count the classes of the files' metadata, which the user's list puts into its order
   * by identifier; without metadata they count the user's list, or the largest tells how many
   * classes there are. Identifiers are looked up in the user's list, then in the metadata, or make
   * classes in alphabetical order.
   *
   * @param location as messages call all files
   * @param wanted the user's list, or null
   * @throws InputException naming file and row of a class that is none
   */
  static TableLabels of(String location, List<PictureFile> files, ClassList wanted) {
    ClassList declared = declared(files);
    ClassList classes = wanted != null ? wanted : declared;
    if (classes == null) {
      classes = found(location, files);
    }
    int[] labels = new int[files.stream().mapToInt(f -> f.rows().names().size()).sum()];
    int at = 0;
    for (PictureFile file : files) {
      for (int row = 0; row < file.rows().names().size(); row++) {
        labels[at++] = label(file, row, declared, classes);
      }
    }
    return new TableLabels(classes, labels);
  }

  private static ClassList declared(List<PictureFile> files) {
    ClassList first = files.get(0).classes();
    for (PictureFile file : files) {
      ClassList other = file.classes();
      if ((first == null) != (other == null)
          || (first != null
              && !(first.ids().equals(other.ids()) && first.names().equals(other.names())))) {
        throw new InputException(
            "%s: found other classes in its metadata than in %s, expected the same"
                .formatted(file.name(), files.get(0).name()));
      }
    }
    return first;
  }

  private static ClassList found(String location, List<PictureFile> files) {
    TreeSet<String> ids = new TreeSet<>();
    long most = -1;
    for (PictureFile file : files) {
      if (file.rows().ids() != null) {
        ids.addAll(file.rows().ids());
      } else {
        most = Math.max(most, file.rows().numbers().stream().mapToLong(n -> n).max().orElse(-1));
      }
    }
    if (most >= MOST_CLASSES) {
      throw new InputException(
          location + ": found the class " + most + ", expected numbers below " + MOST_CLASSES);
    }
    if (!ids.isEmpty() && most >= 0) {
      throw new InputException(
          location + ": found numbers and names as classes, expected one kind in all files");
    }
    List<String> all =
        most < 0
            ? new ArrayList<>(ids)
            : IntStream.rangeClosed(0, (int) most).mapToObj(String::valueOf).toList();
    return ClassList.of(all);
  }

  private static int label(PictureFile file, int row, ClassList declared, ClassList classes) {
    if (file.rows().ids() != null) {
      String id = file.rows().ids().get(row);
      return require(classes.indexOf(id), file, row, "'" + id + "'", classes);
    }
    long number = file.rows().numbers().get(row);
    ClassList counted = declared != null ? declared : classes;
    int index = number >= 0 && number < counted.size() ? (int) number : -1;
    require(index, file, row, String.valueOf(number), counted);
    if (declared == null || declared == classes) {
      return index;
    }
    String id = declared.ids().get(index);
    return require(classes.indexOf(id), file, row, "'" + id + "'", classes);
  }

  private static int require(
      int index, PictureFile file, int row, String found, ClassList classes) {
    if (index < 0) {
      throw new InputException(
          "%s: found the class %s, expected one of %s classes, numbered from 0"
              .formatted(file.describe(row), found, classes.size()));
    }
    return index;
  }
}
