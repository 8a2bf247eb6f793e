package org.ivit.train.nd4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.io.UserCache;

/**
 * The folder into which JavaCPP unpacks the native libraries of ND4J and OpenBLAS. Where it can
 * write none of its own, it gets one in the user's cache.
 */
final class LibraryFolder {
  /** JavaCPP's property. */
  static final String PROPERTY = "org.bytedeco.javacpp.cachedir";

  private LibraryFolder() {}

  /**
   * Makes sure that there is one, before JavaCPP looks for it.
   *
   * @throws InputException if no folder can be written: names them and says what to do
   */
  static void require() {
    List<Path> candidates = javaCpp();
    if (canHold(candidates.get(0))) {
      return;
    }
    candidates.add(UserCache.folder().resolve("javacpp"));
    for (Path candidate : candidates) {
      if (canHold(candidate)) {
        System.setProperty(PROPERTY, candidate.toString());
        return;
      }
    }
    throw new InputException(
        "training unpacks native libraries of ND4J, 400 MB, and found no folder that can be"
            + " written, neither "
            + String.join(" nor ", candidates.stream().map(Path::toString).toList())
            + ": make one of them writable, or name another by XDG_CACHE_HOME=DIR");
  }

  /** Where JavaCPP looks, in its order. */
  private static List<Path> javaCpp() {
    List<Path> folders = new ArrayList<>();
    for (String name : List.of(PROPERTY, "org.bytedeco.javacpp.cacheDir")) {
      String named = System.getProperty(name);
      if (named != null) {
        folders.add(Path.of(named).toAbsolutePath());
      }
    }
    folders.add(Path.of(System.getProperty("user.home"), ".javacpp", "cache"));
    folders.add(
        Path.of(
            System.getProperty("java.io.tmpdir"),
            ".javacpp-" + System.getProperty("user.name"),
            "cache"));
    return folders;
  }

  private static boolean canHold(Path folder) {
    // Relative where the system knows no home.
    if (!folder.isAbsolute()) {
      return false;
    }
    try {
      Files.createDirectories(folder);
      Files.delete(Files.createTempFile(folder, "probe", ".tmp"));
      return Files.isExecutable(folder);
    } catch (IOException e) {
      return false;
    }
  }
}
