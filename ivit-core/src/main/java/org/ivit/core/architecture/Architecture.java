package org.ivit.core.architecture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.Size;

/**
 * A vision transformer as a chain of parts: a {@link Stem}, {@link Block}s with {@link Merging}s
 * between them, norms and poolings, a {@link Head}. All that is needed to name and size its
 * parameters and nodes.
 *
 * @param family key of the {@link org.ivit.core.family.Family} that made it, such as {@code vit}
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

  /** Size of the picture in pixels. */
  public Size image() {
    return stem().image();
  }

  /** Numbers of a picture, [3][height][width]. */
  public int pixels() {
    return stem().pixels();
  }

  /** What the answer to a picture is. */
  public Answer answer() {
    return head().answer();
  }

  /** Number of classes, or channels of a feature. */
  public int classes() {
    return head().classes();
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

  /** All activation functions, in order of execution. */
  public List<ActivationSpec> activations() {
    return parts.stream().flatMap(part -> part.activations().stream()).toList();
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
