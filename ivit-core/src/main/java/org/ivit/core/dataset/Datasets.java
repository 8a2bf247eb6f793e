package org.ivit.core.dataset;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.io.Digests;

/** Opens a set of pictures by where it lies. */
public final class Datasets {
  private static final String TRAIN = "train";

  private Datasets() {}

  /**
   * Opens what lies at a location:
   *
   * <ul>
   *   <li>a folder with one folder a class;
   *   <li>a flat folder or one in a ZIP file, with {@code labels};
   *   <li>{@code FILE.zip}, {@code FILE.zip/FOLDER} or {@code FILE.zip!FOLDER} with one folder a
   *       class;
   *   <li>one binary CIFAR-10 batch {@code FILE.bin}, or {@code FOLDER/train} and {@code
   *       FOLDER/test} where FOLDER holds the binary batches;
   *   <li>where the module {@code ivit-spark} is on the class path: {@code FILE.parquet}, a folder
   *       of Parquet files, and folders and Parquet files of Hadoop's file systems, such as {@code
   *       hdfs://HOST/FOLDER}.
   * </ul>
   *
   * @param classes the order of the classes, or null
   * @param labels a label file for flat pictures, or null
   * @throws InputException naming what is missing or wrong
   */
  public static Dataset open(String location, ClassList classes, Path labels) {
    if (isStored(location)) {
      return PictureStores.require(location).open(location, classes, labels);
    }
    int mark = zipMark(location);
    if (mark >= 0) {
      return zipped(
          Locations.local(location.substring(0, mark + 4)),
          location.substring(mark + 5),
          classes,
          labels);
    }
    Path path = Locations.local(location);
    Path zip = Files.isDirectory(path) ? null : zipAround(path);
    if (zip != null) {
      String rest = zip.equals(path) ? "" : zip.relativize(path).toString();
      return zipped(zip, rest, classes, labels);
    }
    if (labels != null) {
      return ImageFolder.openFlat(path, labels, classes);
    }
    if (Files.isDirectory(path)) {
      if (Files.exists(path.resolve("test_batch.bin"))) {
        throw new InputException(
            path + ": holds CIFAR-10 batches, name its part: " + path + "/train or /test");
      }
      return ImageFolder.open(path, classes);
    }
    Dataset cifar = cifar(path);
    if (cifar == null) {
      throw new InputException(
          path + ": no such folder of pictures, ZIP file, Parquet file or CIFAR-10 batch");
    }
    if (classes != null) {
      requireCifar(path, classes);
    }
    return cifar;
  }

  private static Dataset zipped(Path zip, String folder, ClassList classes, Path labels) {
    return labels == null
        ? ImageFolder.openZip(zip, inside(folder), classes)
        : ImageFolder.openFlatZip(zip, inside(folder), labels, classes);
  }

  /**
   * Whether there is a file or folder at a location; what is in it is not looked at. False where
   * another machine would have to be asked and cannot be.
   *
   * @param location as {@link #open} takes it
   */
  public static boolean exists(String location) {
    if (isStored(location)) {
      PictureStore store = PictureStores.find();
      return store == null ? !Locations.isRemote(location) : store.exists(location);
    }
    int mark = zipMark(location);
    if (mark >= 0) {
      return Files.isRegularFile(Locations.local(location.substring(0, mark + 4)));
    }
    Path path = Locations.local(location);
    return Files.exists(path) || zipAround(path) != null || isPartOfCifar(path);
  }

  /** Whether a {@link PictureStore} is asked for it. */
  private static boolean isStored(String location) {
    return Locations.isRemote(location)
        || (zipMark(location) < 0 && Locations.isParquet(Locations.local(location)));
  }

  private static int zipMark(String location) {
    return location.toLowerCase(Locale.ROOT).indexOf(".zip!");
  }

  /** The ZIP file that a path names or leads into, or null. */
  private static Path zipAround(Path path) {
    for (Path file = path; file != null; file = file.getParent()) {
      if (Files.isRegularFile(file) && lower(file).endsWith(".zip")) {
        return file;
      }
    }
    return null;
  }

  /**
   * Tells whether two sets are the same list of pictures: the SHA-256 of {@code NAME<tab>LABEL} of
   * each, in order, as lines.
   */
  public static String digest(Dataset set) {
    return Digests.lines(
        IntStream.range(0, set.size()).mapToObj(i -> set.name(i) + "\t" + set.label(i)));
  }

  private static void requireCifar(Path path, ClassList classes) {
    if (classes.size() != Cifar10.CLASSES.size()) {
      throw new InputException(
          path + ": CIFAR-10 has 10 classes, the class list has " + classes.size());
    }
    if (ClassList.areNumbers(classes.ids()) || classes.names().equals(Cifar10.CLASSES)) {
      return;
    }
    for (int i = 0; i < classes.size(); i++) {
      if (!classes.ids().get(i).equals(Cifar10.CLASSES.get(i))) {
        throw new InputException(
            "%s: CIFAR-10's class %s counted from 0 is '%s', the class list has '%s'"
                .formatted(path, i, Cifar10.CLASSES.get(i), classes.ids().get(i)));
      }
    }
  }

  private static Dataset cifar(Path path) {
    if (lower(path).endsWith(".bin")) {
      return new Cifar10(List.of(path));
    }
    if (!isPartOfCifar(path)) {
      return null;
    }
    Path folder = path.toAbsolutePath().getParent();
    return lower(path).equals(TRAIN) ? Cifar10.train(folder) : Cifar10.test(folder);
  }

  /** Whether a path names the training or the test part of a folder of binary batches. */
  private static boolean isPartOfCifar(Path path) {
    Path folder = path.toAbsolutePath().getParent();
    String first = lower(path).equals(TRAIN) ? "data_batch_1.bin" : "test_batch.bin";
    return folder != null
        && List.of(TRAIN, "test").contains(lower(path))
        && Files.exists(folder.resolve(first));
  }

  private static String lower(Path path) {
    return String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
  }

  private static String inside(String folder) {
    String clean = folder.replace('\\', '/');
    while (clean.startsWith("/")) {
      clean = clean.substring(1);
    }
    while (clean.endsWith("/")) {
      clean = clean.substring(0, clean.length() - 1);
    }
    return clean;
  }
}
