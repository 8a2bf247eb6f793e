package org.ivit.core.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/** The shape of a vision transformer: all that is needed to name and size its parameters. */
public sealed interface Architecture permits Vit, Swin {
  /** The timm name, or what an inline description calls itself. */
  String name();

  /** Height and width of the picture in pixels. */
  int image();

  /** Height and width of a patch in pixels. */
  int patch();

  /** Channels of a token of the first block. */
  int dim();

  /** The transformer blocks, in order of execution. */
  List<Block> blocks();

  /** Inputs of the head: channels of a token of the last block. */
  int features();

  /** Inputs of the patch embedding: channel, row, column of a patch. */
  default int patchInputs() {
    return 3 * patch() * patch();
  }

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

  /**
   * The same architecture for pictures of another size; its name says so.
   *
   * @param size height and width in pixels
   * @throws org.ivit.core.InputException if patches or windows do not divide it
   */
  Architecture withImage(int size);
}
