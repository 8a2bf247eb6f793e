package org.ivit.core.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** The class path of this process. */
public final class ClassPath {
  private ClassPath() {}

  /** All of it: Surefire may hide it in the manifest of a jar of its own. */
  public static List<Path> entries() {
    Set<Path> all = new TreeSet<>();
    for (String property : List.of("java.class.path", "surefire.test.class.path")) {
      for (String entry : System.getProperty(property, "").split(File.pathSeparator, -1)) {
        if (!entry.isEmpty() && Files.exists(Path.of(entry))) {
          all.addAll(expand(Path.of(entry).toAbsolutePath()));
        }
      }
    }
    return List.copyOf(all);
  }

  /** An entry, and what the manifest of a jar adds to it. */
  public static List<Path> expand(Path entry) {
    List<Path> paths = new ArrayList<>(List.of(entry));
    if (Files.isRegularFile(entry)) {
      try (JarFile jar = new JarFile(entry.toFile())) {
        Manifest manifest = jar.getManifest();
        String more =
            manifest == null
                ? null
                : manifest.getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
        for (String uri : more == null ? new String[0] : more.trim().split("\\s+", -1)) {
          URI resolved = entry.toUri().resolve(uri);
          if ("file".equals(resolved.getScheme()) && Files.exists(Path.of(resolved))) {
            paths.add(Path.of(resolved));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return paths;
  }
}
