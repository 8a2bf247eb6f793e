package org.ivit.core.dataset;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.ivit.core.io.TextFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folders of JPEG, PNG, WebP and BMP files. One folder a class, the pictures directly in it; or one
 * flat folder with a label file. Hidden files are passed over; other files in a folder of a class
 * are counted in a warning.
 */
public final class ImageFolder {
  private static final Logger LOG = LoggerFactory.getLogger(ImageFolder.class);

  private static final String ENDINGS = String.join(", ", PictureSource.ENDINGS);

  private ImageFolder() {}

  /**
   * A directory with one folder a class.
   *
   * @param classes the order of the classes, and classes that may lack a folder; null for the
   *     folders' alphabetical order
   * @throws InputException if there is no folder, a folder has no picture or is not in the list
   */
  public static Dataset open(Path root, ClassList classes) {
    return open(new DirectorySource(root), classes);
  }

  /**
   * The same inside a ZIP file, read in place.
   *
   * @param inside the folder that holds the classes, "" for the root
   */
  public static Dataset openZip(Path zip, String inside, ClassList classes) {
    return open(new ZipSource(zip, inside), classes);
  }

  /**
   * The same wherever the files lie.
   *
   * @param source closed with the set, and where it is refused
   */
  public static Dataset open(PictureSource source, ClassList list) {
    try {
      List<String> folders = source.folders().stream().sorted().toList();
      if (folders.isEmpty()) {
        throw new InputException(
            source.root() + ": found no class folder" + hintOfFlat(source) + ", expected one each");
      }
      ClassList classes = list == null ? ClassList.of(folders) : list;
      List<FileDataset.Item> items = new ArrayList<>();
      List<String> ignored = new ArrayList<>();
      for (String folder : folders) {
        int label = classes.indexOf(folder);
        if (label < 0) {
          throw new InputException(
              "%s: the folder is none of the %s classes of the class list"
                  .formatted(source.describe(folder), classes.size()));
        }
        List<String> files = source.files(folder);
        List<String> pictures = files.stream().filter(PictureSource::isPicture).toList();
        files.stream()
            .filter(f -> !PictureSource.isPicture(f))
            .sorted()
            .forEach(f -> ignored.add(folder + "/" + f));
        if (pictures.isEmpty()) {
          throw new InputException(
              "%s: found no picture directly in this class folder%s, expected %s files"
                  .formatted(
                      source.describe(folder),
                      files.isEmpty() ? "" : " among " + files.size() + " files",
                      ENDINGS));
        }
        for (String picture : pictures) {
          items.add(new FileDataset.Item(folder + "/" + picture, label));
        }
      }
      if (!ignored.isEmpty()) {
        LOG.warn("{}: {}", source.root(), describeIgnored(ignored));
      }
      return new FileDataset(source, classes, items);
    } catch (InputException e) {
      source.close();
      throw e;
    }
  }

  /** {@code 3 files ignored: 2 .gif, 1 .tiff (first: cat/a.gif), expected .jpg, …}. */
  private static String describeIgnored(List<String> paths) {
    Map<String, Long> counts =
        paths.stream()
            .collect(
                Collectors.groupingBy(ImageFolder::ending, TreeMap::new, Collectors.counting()));
    return paths.size()
        + (paths.size() == 1 ? " file" : " files")
        + " ignored: "
        + counts.entrySet().stream()
            .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
            .map(e -> e.getValue() + " " + e.getKey())
            .collect(Collectors.joining(", "))
        + " (first: "
        + paths.get(0)
        + "), expected "
        + ENDINGS;
  }

  private static String ending(String path) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "without an ending" : name.substring(dot).toLowerCase(Locale.ROOT);
  }

  private static String hintOfFlat(PictureSource source) {
    return source.pictures("").isEmpty()
        ? ""
        : " but " + source.pictures("").size() + " pictures, which need a label file";
  }

  /**
   * A flat directory with a label file: a line for each picture, its name, a tab or a space, and
   * its class, as a number from 0 or by identifier or name. Without a tab the last space separates.
   * Pictures that the file does not name are left out.
   *
   * @param classes the classes; null if the labels are all numbers (the largest tells how many
   *     classes there are) or all names (in alphabetical order)
   * @throws InputException naming file and line
   */
  public static Dataset openFlat(Path root, Path labels, ClassList classes) {
    return openFlat(new DirectorySource(root), labels, classes);
  }

  /** The same wherever the files lie. */
  public static Dataset openFlat(PictureSource source, Path labels, ClassList classes) {
    Map<String, String> lines = readLabels(labels);
    ClassList list = classes == null ? classesOf(labels, lines) : classes;
    Set<String> present = new HashSet<>(source.pictures(""));
    List<FileDataset.Item> items = new ArrayList<>();
    lines.forEach(
        (name, label) -> {
          if (!present.contains(name)) {
            throw new InputException(
                labels + ": names '" + name + "', which is no picture in " + source.root());
          }
          items.add(new FileDataset.Item(name, number(labels, name, label, list)));
        });
    return new FileDataset(source, list, items);
  }

  private static Map<String, String> readLabels(Path file) {
    List<String> lines = TextFiles.read(file, "a list of pictures and classes").lines().toList();
    Map<String, String> labels = new LinkedHashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty()) {
        continue;
      }
      int tab = line.indexOf('\t');
      int cut = tab >= 0 ? tab : line.lastIndexOf(' ');
      if (cut < 0) {
        throw new InputException(
            file + ": line " + (i + 1) + " is '" + line + "', expected a picture and its class");
      }
      String name = line.substring(0, cut).strip();
      if (labels.putIfAbsent(name, line.substring(cut + 1).strip()) != null) {
        throw new InputException(file + ": line " + (i + 1) + " names '" + name + "' again");
      }
    }
    if (labels.isEmpty()) {
      throw new InputException(file + ": found no label, expected a line for each picture");
    }
    return labels;
  }

  private static ClassList classesOf(Path file, Map<String, String> labels) {
    Set<String> names = new TreeSet<>(labels.values());
    long numbers = names.stream().filter(ImageFolder::isNumber).count();
    if (numbers == 0) {
      return ClassList.of(List.copyOf(names));
    }
    if (numbers < names.size()) {
      throw new InputException(
          file + ": found numbers and names as classes, expected one kind or a class list");
    }
    int largest = names.stream().mapToInt(Integer::parseInt).max().orElseThrow();
    List<String> all = new ArrayList<>();
    for (int i = 0; i <= largest; i++) {
      all.add(String.valueOf(i));
    }
    return ClassList.of(all);
  }

  private static int number(Path file, String name, String label, ClassList classes) {
    int index = classes.find(label);
    if (index < 0 && isNumber(label)) {
      index = Integer.parseInt(label);
    }
    if (index < 0 || index >= classes.size()) {
      throw new InputException(
          "%s: '%s' has the class '%s', expected one of %s classes or their numbers from 0"
              .formatted(file, name, label, classes.size()));
    }
    return index;
  }

  private static boolean isNumber(String label) {
    return label.matches("[0-9]{1,6}");
  }
}
