package org.ivit.core.architecture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;

/**
 * A vision transformer as a chain of parts: a {@link Stem}, {@link Block}s with {@link Merging}s
 * between them, a {@link Head}. All that is needed to name and size its parameters and nodes.
 *
 * @param family key of the {@link Family} that made it, such as {@code vit}
 * @param name the timm name, or what an inline description calls itself
 * @param parts in order of execution
 */
public record Architecture(String family, String name, List<Part> parts) {
  /**
   * Checks that each part fits the one before it.
   *
   * @throws org.ivit.core.InputException naming the first that does not
   */
  public Architecture {
    if (family == null || name == null) {
      throw new InputException("architecture: expected a family and a name");
    }
    parts = List.copyOf(parts);
    new ChainCheck(name).check(parts);
  }

  /** The first part. */
  public Stem stem() {
    return (Stem) parts.get(0);
  }

  /** The transformer blocks, in order of execution. */
  public List<Block> blocks() {
    return parts.stream().filter(Block.class::isInstance).map(Block.class::cast).toList();
  }

  /** The last part. */
  public Head head() {
    return (Head) parts.get(parts.size() - 1);
  }

  /** Height and width of the picture in pixels. */
  public int image() {
    return stem().image();
  }

  /** Numbers of a picture, [3][image][image]. */
  public int pixels() {
    return stem().pixels();
  }

  /** Number of classes. */
  public int classes() {
    return head().classes();
  }

  /** What the numbers mean that a picture is answered with. */
  public Answer answer() {
    return Answer.CLASSES;
  }

  /** How many numbers a picture is answered with: scores of classes, or the width of a feature. */
  public int answerWidth() {
    return head().outputDim();
  }

  /** The parameters by their timm names, in order of execution, with their shapes. */
  public Map<String, long[]> parameters() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    for (Part part : parts) {
      part.parameters().forEach(p -> shapes.put(p.name(), p.shapeArray()));
    }
    return shapes;
  }

  /** All nodes with a range by name, in order of execution. */
  public Map<String, Node> nodes() {
    Map<String, Node> nodes = new LinkedHashMap<>();
    for (Part part : parts) {
      part.nodes().forEach(node -> nodes.put(node.name(), node));
    }
    return nodes;
  }

  /** All products with weights, in order of execution. */
  public List<LinearSpec> linears() {
    return parts.stream().flatMap(part -> part.linears().stream()).toList();
  }

  /**
   * The same architecture with another number of classes.
   *
   * @param count at least 1
   */
  public Architecture withClasses(int count) {
    List<Part> changed = new ArrayList<>(parts.subList(0, parts.size() - 1));
    changed.add(head().withClasses(count));
    return new Architecture(family, name, changed);
  }
}
