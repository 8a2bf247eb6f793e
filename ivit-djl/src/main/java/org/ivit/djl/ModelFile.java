package org.ivit.djl;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Where the checkpoint of a model lies. */
final class ModelFile {
  private static final String SUFFIX = ".ivit.safetensors";

  private ModelFile() {}

  /**
   * Finds the file.
   *
   * @param path of the checkpoint, or a folder with it
   * @param prefix its name, with or without {@value #SUFFIX}; null for one called as the model or
   *     as the folder, or else the only one that there is
   * @param modelName how the model is called
   * @throws FileNotFoundException in one line, if none is there or several are
   */
  static Path find(Path path, String prefix, String modelName) throws IOException {
    if (Files.isRegularFile(path)) {
      return path;
    }
    if (!Files.isDirectory(path)) {
      throw new FileNotFoundException(path + ": no such file or folder");
    }
    List<String> names = new ArrayList<>();
    if (prefix != null) {
      names.add(prefix);
    } else {
      names.add(modelName);
      names.add(String.valueOf(path.getFileName()));
    }
    for (String name : names) {
      for (String file : List.of(name, name + SUFFIX)) {
        if (file.endsWith(SUFFIX) && Files.isRegularFile(path.resolve(file))) {
          return path.resolve(file);
        }
      }
    }
    List<String> there = checkpoints(path);
    if (prefix == null && there.size() == 1) {
      return path.resolve(there.get(0));
    }
    throw new FileNotFoundException(
        "%s: found %s, expected %s"
            .formatted(
                path,
                there.isEmpty() ? "no *" + SUFFIX : String.join(", ", there),
                prefix == null ? "one *" + SUFFIX + ", or a prefix" : "one called " + prefix));
  }

  private static List<String> checkpoints(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(SUFFIX))
          .sorted()
          .toList();
    }
  }
}
