package org.ivit.core.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** The shape of a vision transformer: all that is needed to name and size its parameters. */
public sealed interface Architecture permits Vit {
  /** The timm name, or what an inline description calls itself. */
  String name();

  /** Height and width of the picture in pixels. */
  int image();

  /** Number of classes. */
  int classes();

  /** What is added to the variance in the float model's layer norms. */
  double epsilon();

  /** The parameters by their timm names, in timm's order, with their shapes. */
  Map<String, long[]> parameters();

  /** A description that {@link Architectures#parse} reads back to an equal record. */
  ObjectNode toJson();

  /**
   * The same architecture with another number of classes.
   *
   * @param classes at least 1
   */
  Architecture withClasses(int classes);
}
