package org.ivit.core.dataset;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.ivit.core.io.TextFiles;

/**
 * The classes of the pictures of a flat folder, as {@link ImageFolder#openFlat(Path, Path,
 * ClassList)} describes the file.
 *
 * @param labels number of the class by name of the picture, in the file's order
 * @param classes that the numbers mean
 */
record LabelFile(Map<String, Integer> labels, ClassList classes) {
  /** A name that ends as a picture's, which may have blanks, and what follows. */
  private static final Pattern LINE =
      Pattern.compile(
          "(?<name>.*?(?:%s))[\\s,;]+(?<rest>\\S.*)"
              .formatted(
                  PictureSource.ENDINGS.stream()
                      .map(Pattern::quote)
                      .collect(Collectors.joining("|"))),
          Pattern.CASE_INSENSITIVE);

  private static final Pattern COLUMN = Pattern.compile("[\\t,;]");

  /**
   * Reads a file.
   *
   * @param classes null to make them of the labels
   * @throws InputException naming file and line
   */
  static LabelFile read(Path file, ClassList classes) {
    Map<String, String> texts = texts(file);
    ClassList list = classes == null ? classesOf(file, texts) : classes;
    Map<String, Integer> labels = new LinkedHashMap<>();
    texts.forEach((name, text) -> labels.put(name, number(file, name, text, list)));
    return new LabelFile(labels, list);
  }

  /** What stands behind each name. */
  private static Map<String, String> texts(Path file) {
    List<String> lines = TextFiles.read(file, "a list of pictures and classes").lines().toList();
    Map<String, String> texts = new LinkedHashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty()) {
        continue;
      }
      Matcher matcher = LINE.matcher(line);
      if (!matcher.matches()) {
        throw new InputException(
            "%s: line %s is '%s', expected a picture (%s) and its class"
                .formatted(file, i + 1, line, String.join(", ", PictureSource.ENDINGS)));
      }
      String name = matcher.group("name");
      if (texts.putIfAbsent(name, matcher.group("rest")) != null) {
        throw new InputException(file + ": line " + (i + 1) + " names '" + name + "' again");
      }
    }
    if (texts.isEmpty()) {
      throw new InputException(file + ": found no label, expected a line for each picture");
    }
    return texts;
  }

  /** What the class may be, the longest first. */
  private static List<String> readings(String text) {
    String column = COLUMN.split(text, 2)[0].strip();
    return List.copyOf(new LinkedHashSet<>(List.of(text, column, column.split("\\s", 2)[0])));
  }

  private static ClassList classesOf(Path file, Map<String, String> texts) {
    Set<String> names = new TreeSet<>();
    int numbers = 0;
    int largest = -1;
    for (String text : texts.values()) {
      List<String> readings = readings(text);
      String word = readings.get(readings.size() - 1);
      if (isNumber(word)) {
        numbers++;
        largest = Math.max(largest, Integer.parseInt(word));
      }
      names.add(COLUMN.split(text, 2)[0].strip());
    }
    if (numbers == 0) {
      return ClassList.of(List.copyOf(names));
    }
    if (numbers < texts.size()) {
      throw new InputException(
          file + ": found numbers and names as classes, expected one kind or a class list");
    }
    List<String> all = new ArrayList<>();
    for (int i = 0; i <= largest; i++) {
      all.add(String.valueOf(i));
    }
    return ClassList.of(all);
  }

  private static int number(Path file, String name, String text, ClassList classes) {
    for (String reading : readings(text)) {
      int index = classes.find(reading);
      if (index < 0 && isNumber(reading)) {
        index = Integer.parseInt(reading);
      }
      if (index >= 0 && index < classes.size()) {
        return index;
      }
    }
    throw new InputException(
        "%s: '%s' has the class '%s', expected one of %s classes or their numbers from 0"
            .formatted(file, name, text, classes.size()));
  }

  private static boolean isNumber(String label) {
    return label.matches("[0-9]{1,6}");
  }
}
