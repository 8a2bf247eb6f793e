package org.ivit.core.dataset;

import java.util.List;
import java.util.Locale;
import org.ivit.core.InputException;

/** Where the files of an image folder lie, such as a directory or a ZIP file. */
public interface PictureSource extends AutoCloseable {
  /** How names of pictures end, in lower case. */
  List<String> ENDINGS = List.of(".jpg", ".jpeg", ".png", ".webp", ".bmp");

  /** The root, as messages call it. */
  String root();

  /** Names of the folders directly in the root, hidden ones left out, in no order. */
  List<String> folders();

  /**
   * Paths of the files in that folder and in the folders below it, relative to it, hidden ones left
   * out, in no order; only those directly in the root if it is "".
   */
  List<String> files(String folder);

  /** Those of them that are pictures by their names. */
  default List<String> pictures(String folder) {
    return files(folder).stream().filter(PictureSource::isPicture).toList();
  }

  /**
   * The bytes of a file by its path below the root.
   *
   * @throws InputException naming it if it cannot be read
   */
  byte[] read(String path);

  /** A file as messages call it. */
  default String describe(String path) {
    return root() + "/" + path;
  }

  @Override
  default void close() {}

  /** Whether a name, or a path, has an ending of a picture file. */
  static boolean isPicture(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return !isHidden(lower.substring(lower.lastIndexOf('/') + 1))
        && ENDINGS.stream().anyMatch(lower::endsWith);
  }

  /** Whether systems leave such files behind without meaning a class or a picture. */
  static boolean isHidden(String name) {
    return name.startsWith(".") || name.equals("__MACOSX");
  }
}
