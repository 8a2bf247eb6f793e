package org.ivit.core.dataset;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.io.TextFiles;

/**
 * Classes in the order of a model's outputs. As a file: one class a line, UTF-8, either its name or
 * its identifier (the folder's name, for ImageNet the WordNet identifier), a tab, and its names; a
 * blank will do where each line begins with a WordNet identifier. Names are labels for people and
 * need not be unique (ImageNet has two cranes); identifiers are.
 */
public final class ClassList {
  /** How ImageNet's lists begin, with a blank where ours have a tab. */
  private static final Pattern WORDNET = Pattern.compile("(n\\d{8}) +(\\S.*)");

  private final List<String> ids;
  private final List<String> names;
  private final String source;
  private final Map<String, Integer> index = new HashMap<>();

  private ClassList(String source, List<String> ids, List<String> names) {
    this.source = source;
    this.ids = List.copyOf(ids);
    this.names = List.copyOf(names);
    for (int i = 0; i < ids.size(); i++) {
      Integer before = index.putIfAbsent(ids.get(i), i);
      if (before != null && !(isNamed(before) && isNamed(i))) {
        throw new InputException(
            "%s: class '%s' stands twice, as number %s and %s counted from 0"
                .formatted(source, ids.get(i), before, i));
      }
    }
  }

  /** Whether nothing but the name of a class is known. */
  private boolean isNamed(int i) {
    return ids.get(i).equals(names.get(i));
  }

  /** Classes whose identifier is their name. */
  public static ClassList of(List<String> names) {
    return new ClassList("class list", names, names);
  }

  /**
   * Classes by identifier and name.
   *
   * @param source as messages call it
   * @param names as many as identifiers
   * @throws InputException if there is none or an identifier stands twice
   */
  public static ClassList of(String source, List<String> ids, List<String> names) {
    if (ids.isEmpty() || ids.size() != names.size()) {
      throw new InputException(
          "%s: found %s classes with %s names, expected one name each"
              .formatted(source, ids.size(), names.size()));
    }
    return new ClassList(source, ids, names);
  }

  /**
   * Reads a class list file.
   *
   * @throws InputException if it cannot be read, is empty, or has an empty line or an identifier
   *     twice
   */
  public static ClassList read(Path file) {
    List<String> lines =
        new ArrayList<>(TextFiles.read(file, "a list of classes, one a line").lines().toList());
    while (!lines.isEmpty() && lines.get(lines.size() - 1).isBlank()) {
      lines.remove(lines.size() - 1);
    }
    if (lines.isEmpty()) {
      throw new InputException(file + ": found no class, expected one a line");
    }
    if (lines.stream().allMatch(line -> WORDNET.matcher(line).matches())) {
      lines.replaceAll(line -> WORDNET.matcher(line).replaceFirst("$1\t$2"));
    }
    List<String> ids = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      int tab = line.indexOf('\t');
      String id = (tab < 0 ? line : line.substring(0, tab)).strip();
      String name = tab < 0 ? id : line.substring(tab + 1).strip();
      if (id.isEmpty() || name.isEmpty()) {
        throw new InputException(
            file + ": line " + (i + 1) + " is '" + line + "', expected a class or 'id<tab>name'");
      }
      ids.add(id);
      names.add(name);
    }
    return new ClassList(file.toString(), ids, names);
  }

  /** How many classes there are. */
  public int size() {
    return ids.size();
  }

  /** The identifiers, which folders are named by. */
  public List<String> ids() {
    return ids;
  }

  /** The readable names. */
  public List<String> names() {
    return names;
  }

  /**
   * The number of the class with that identifier, or −1.
   *
   * @throws InputException if it is a name that several classes have
   */
  public int indexOf(String id) {
    return index.containsKey(id) ? only(ids, id) : -1;
  }

  /**
   * The number of the class with that identifier or that name, or −1.
   *
   * @throws InputException if several classes have that name
   */
  public int find(String text) {
    int found = indexOf(text);
    return found >= 0 || !names.contains(text) ? found : only(names, text);
  }

  private int only(List<String> texts, String name) {
    int first = texts.indexOf(name);
    int last = texts.lastIndexOf(name);
    if (first != last) {
      throw new InputException(
          source
              + ": found the class '"
              + name
              + "' as numbers "
              + first
              + " and "
              + last
              + " counted from 0, expected a class that has the name alone (lines of 'id<tab>name'"
              + " tell them apart)");
    }
    return first;
  }

  /**
   * Whether the labels of two sets mean the same classes: by their identifiers or their names.
   * Classes that are only numbered are whatever the other's are.
   */
  public static boolean sameClasses(Dataset one, Dataset other) {
    return one.classes() == other.classes()
        && (one.classIds().equals(other.classIds())
            || one.classNames().equals(other.classNames())
            || areNumbers(one.classIds())
            || areNumbers(other.classIds()));
  }

  /** Whether these say no more than the numbers from 0 on, such as {@code LABEL_0}. */
  static boolean areNumbers(List<String> ids) {
    String first = ids.get(0);
    if (!first.endsWith("0")) {
      return false;
    }
    String prefix = first.substring(0, first.length() - 1);
    return IntStream.range(0, ids.size()).allMatch(i -> ids.get(i).equals(prefix + i));
  }
}
