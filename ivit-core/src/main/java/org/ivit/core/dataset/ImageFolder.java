package org.ivit.core.dataset;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folders of JPEG, PNG, WebP and BMP files. One folder a class, the pictures directly in it or in
 * the only folder in it; or one flat folder with a label file. Hidden files are passed over; what
 * else lies in a folder of a class is counted in a warning.
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
      List<String> below = new ArrayList<>();
      for (String folder : folders) {
        int label = classes.indexOf(folder);
        if (label < 0) {
          throw new InputException(
              "%s: the folder is none of the %s classes of the class list"
                  .formatted(source.describe(folder), classes.size()));
        }
        List<String> files = source.files(folder).stream().sorted().toList();
        String taken = taken(source, folder, files);
        for (String file : files) {
          String path = folder + "/" + file;
          boolean picture = PictureSource.isPicture(file);
          boolean here = parent(file).equals(taken);
          if (picture && here) {
            items.add(new FileDataset.Item(path, label));
          } else if (picture) {
            below.add(path);
          } else if (here) {
            ignored.add(path);
          }
        }
      }
      if (!ignored.isEmpty()) {
        LOG.warn("{}: {}", source.root(), describeIgnored(ignored));
      }
      if (!below.isEmpty()) {
        LOG.warn(
            "{}: {} pictures in folders below those of their class left out (first: {})",
            source.root(),
            below.size(),
            below.get(0));
      }
      return new FileDataset(source, classes, items);
    } catch (InputException e) {
      source.close();
      throw e;
    }
  }

  /** The folder of a path, "" for none. */
  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }

  /**
   * Where the pictures of a class lie: in its folder, or in the only folder in it, such as Tiny
   * ImageNet's {@code images}. What lies elsewhere could be classes, one level too high.
   *
   * @param files of the folder, relative to it
   */
  private static String taken(PictureSource source, String folder, List<String> files) {
    List<String> holding =
        files.stream()
            .filter(PictureSource::isPicture)
            .map(ImageFolder::parent)
            .distinct()
            .sorted()
            .toList();
    if (holding.contains("")) {
      return "";
    }
    if (holding.size() == 1 && holding.get(0).indexOf('/') < 0) {
      return holding.get(0);
    }
    throw new InputException(
        "%s: found no picture directly in this class folder%s, expected %s files"
            .formatted(
                source.describe(folder),
                holding.isEmpty()
                    ? files.isEmpty() ? "" : " among " + files.size() + " files"
                    : ", but in %s folders below it (first: %s)"
                        .formatted(holding.size(), holding.get(0)),
                ENDINGS));
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
   * A flat directory with a label file: a line for each picture, its name and, after a tab, blank,
   * comma or semicolon, its class, as a number from 0 or by identifier or name. What follows after
   * a further tab, comma or semicolon is left out, and so is what follows a class that has no
   * blanks after a blank. Pictures that the file does not name are left out.
   *
   * @param classes the classes; null if the labels are all numbers (the largest tells how many
   *     classes there are) or all names (in alphabetical order)
   * @throws InputException naming file and line
   */
  public static Dataset openFlat(Path root, Path labels, ClassList classes) {
    return openFlat(new DirectorySource(root), labels, classes);
  }

  /**
   * The same inside a ZIP file, read in place.
   *
   * @param inside the folder that holds the pictures, "" for the root
   */
  public static Dataset openFlatZip(Path zip, String inside, Path labels, ClassList classes) {
    return openFlat(new ZipSource(zip, inside), labels, classes);
  }

  /**
   * The same wherever the files lie.
   *
   * @param source closed with the set, and where it is refused
   */
  public static Dataset openFlat(PictureSource source, Path labels, ClassList classes) {
    try {
      LabelFile lines = LabelFile.read(labels, classes);
      Set<String> present = new HashSet<>(source.pictures(""));
      List<FileDataset.Item> items = new ArrayList<>();
      lines
          .labels()
          .forEach(
              (name, label) -> {
                if (!present.contains(name)) {
                  throw new InputException(
                      labels + ": names '" + name + "', which is no picture in " + source.root());
                }
                items.add(new FileDataset.Item(name, label));
              });
      return new FileDataset(source, lines.classes(), items);
    } catch (InputException e) {
      source.close();
      throw e;
    }
  }
}
