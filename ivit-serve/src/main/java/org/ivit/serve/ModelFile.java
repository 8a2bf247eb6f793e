package org.ivit.serve;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * A model to serve.
 *
 * @param name by which clients ask for it
 * @param path where it lies
 */
record ModelFile(String name, Path path) {
  private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}";
  private static final String CHECKPOINT = ".ivit.safetensors";

  /**
   * Reads {@code FILE} and {@code NAME=FILE}.
   *
   * @throws InputException if a name is none, or two are the same
   */
  static List<ModelFile> parse(List<String> options) {
    List<ModelFile> files = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (String option : options) {
      ModelFile file = parse(option);
      if (!names.add(file.name())) {
        throw new InputException(
            "--model: found two models %s, expected a name for each: --model NAME=FILE"
                .formatted(file.name()));
      }
      files.add(file);
    }
    return files;
  }

  private static ModelFile parse(String option) {
    int equals = option.indexOf('=');
    if (equals > 0 && option.substring(0, equals).matches(NAME)) {
      return new ModelFile(option.substring(0, equals), Path.of(option.substring(equals + 1)));
    }
    Path path = Path.of(option);
    Path last = path.toAbsolutePath().normalize().getFileName();
    String name = last == null ? "" : last.toString();
    if (name.endsWith(CHECKPOINT)) {
      name = name.substring(0, name.length() - CHECKPOINT.length());
    } else if (name.matches(".+\\.(safetensors|pth|pt|npz|bin)")) {
      name = name.substring(0, name.lastIndexOf('.'));
    }
    if (!name.matches(NAME)) {
      throw new InputException(
          "--model: %s is no name of a model, expected --model NAME=FILE with letters, digits, '.',"
                  .formatted(MessageText.quote(name))
              + " '_' and '-'");
    }
    return new ModelFile(name, path);
  }
}
