package org.ivit.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.io.TextFiles;

/** The keys of a recipe before they are checked, where a command says some of them itself. */
public final class RecipeDraft {
  private final String name;
  private final ObjectNode root;

  /**
   * @param file a recipe, or null for one that says nothing
   * @param overrides as of {@link Recipe#read(Path, List)}
   * @throws InputException if file or overrides cannot be used
   */
  public RecipeDraft(Path file, List<String> overrides) {
    this.name = file == null ? "recipe" : file.toString();
    this.root =
        file == null
            ? JsonNodeFactory.instance.objectNode()
            : Yaml.map(name, TextFiles.read(file, "a YAML recipe"));
    overrides.forEach(override -> Yaml.set(root, override));
  }

  /**
   * The value of a key.
   *
   * @param path keys with dots between them
   * @return null where it is absent or says {@code none}
   */
  public JsonNode get(String path) {
    JsonNode node = root;
    for (String key : path.split("\\.", -1)) {
      node = node.path(key);
    }
    boolean none = node.isTextual() && node.textValue().equals("none");
    return node.isMissingNode() || node.isNull() || none ? null : node;
  }

  /** Sets the value of a key, and makes the maps on the way. */
  public void put(String path, JsonNode value) {
    Yaml.set(root, path, value, path + "=" + value);
  }

  /** Sets the text of a key, and makes the maps on the way. */
  public void put(String path, String text) {
    put(path, JsonNodeFactory.instance.textNode(text));
  }

  /**
   * The failure of a key whose value is not what it should be.
   *
   * @param path keys with dots between them
   * @param expected in words
   */
  public InputException bad(String path, String expected) {
    return new InputException(
        name + ": " + path + ": found " + get(path) + ", expected " + expected);
  }

  /**
   * The recipe.
   *
   * @throws InputException if a key cannot be used: one line with file, key path, what was found
   *     and what was expected
   */
  public Recipe read() {
    return Recipe.read(new Section(name, Path.of(""), "", root));
  }
}
