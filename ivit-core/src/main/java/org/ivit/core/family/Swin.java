package org.ivit.core.family;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.SizeChecks;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Windows;

/**
 * Swin Transformer: patches with a norm, stages of blocks whose attention stays within windows,
 * merging of 2 × 2 tokens between stages, a norm, the mean over all tokens, the head. The MLP's
 * hidden width is 4 · dim, as in every release.
 *
 * @param name timm name
 * @param image size of the picture in pixels, multiples of {@code patch}
 * @param patch height and width of a patch in pixels
 * @param window height and width of a window in tokens
 * @param dim channels of a token of the first stage; each merging doubles them
 * @param depths number of blocks of each stage
 * @param heads attention heads of each stage's blocks
 * @param classes number of classes; 0 where the answer is a feature
 * @param epsilon of the float model's layer norms, 1e-5 in released models
 */
public record Swin(
    String name,
    Size image,
    int patch,
    int window,
    int dim,
    List<Integer> depths,
    List<Integer> heads,
    int classes,
    double epsilon)
    implements Family {
  /** The value of {@code kind} in a description. */
  public static final String KIND = "swin";

  static final double EPSILON = 1e-5;

  private static final int HIDDEN_RATIO = 4;

  /** Beyond every published model; more cannot halve a picture of any size that fits. */
  private static final int MOST_STAGES = 12;

  /** A square picture; parameters as those of the record. */
  public Swin(
      String name,
      int image,
      int patch,
      int window,
      int dim,
      List<Integer> depths,
      List<Integer> heads,
      int classes,
      double epsilon) {
    this(name, Size.of(image), patch, window, dim, depths, heads, classes, epsilon);
  }

  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range or does not divide
   */
  public Swin {
    depths = List.copyOf(depths);
    heads = List.copyOf(heads);
    SizeChecks check = new SizeChecks(name);
    check.inRange("image", image);
    check.inRange("patch", patch);
    check.inRange("window", window);
    check.inRange("dim", dim);
    if (classes != 0) {
      check.inRange("classes", classes);
    }
    check.epsilon(epsilon);
    check.multiple("image", image, "patch", patch);
    if (depths.isEmpty() || depths.size() > MOST_STAGES) {
      throw check.refused(
          "depths has %d stages, expected 1 to %d".formatted(depths.size(), MOST_STAGES));
    }
    if (heads.size() != depths.size()) {
      throw check.refused(
          "heads has %d stages, expected as many as depths, %d"
              .formatted(heads.size(), depths.size()));
    }
    checkStages(check, image.dividedBy(patch), window, dim, depths, heads);
  }

  private static void checkStages(
      SizeChecks check, Size grid, int window, int dim, List<Integer> depths, List<Integer> heads) {
    Size resolution = grid;
    int width = dim;
    for (int i = 0; i < depths.size(); i++) {
      String stage = "stage " + i + ": ";
      check.inRange(stage + "depth", depths.get(i));
      check.inRange(stage + "heads", heads.get(i));
      check.inRange(stage + "dim", width);
      check.inRange(stage + "merged channels", 4 * width);
      check.multiple(stage + "dim", width, "heads", heads.get(i));
      checkWindows(check, stage, resolution, window);
      if (i < depths.size() - 1) {
        check.multiple(stage + "resolution", resolution, "the merging", 2);
      }
      resolution = resolution.dividedBy(2);
      width *= 2;
    }
  }

  private static void checkWindows(SizeChecks check, String stage, Size resolution, int window) {
    long tokens = 1;
    for (int side : new int[] {resolution.height(), resolution.width()}) {
      if (side > window) {
        check.multiple(stage + "resolution", side, "window", window);
      }
      tokens *= Math.min(side, window);
    }
    check.rowOfScores(stage + "a window has", tokens);
  }

  @Override
  public Architecture architecture() {
    List<Part> parts = new ArrayList<>();
    parts.add(new Stem(image, patch, dim, List.of(), true, null, epsilon));
    Size resolution = image.dividedBy(patch);
    int width = dim;
    for (int i = 0; i < depths.size(); i++) {
      if (i > 0) {
        Merging merging =
            new Merging("layers.%d.downsample".formatted(i - 1), resolution, width, epsilon);
        parts.add(merging);
        resolution = resolution.dividedBy(2);
        width = merging.outputDim();
      }
      for (int j = 0; j < depths.get(i); j++) {
        parts.add(
            new Block(
                "layers.%d.blocks.%d".formatted(i, j),
                width,
                heads.get(i),
                HIDDEN_RATIO * width,
                resolution.area(),
                Windows.of(resolution, window, j % 2 == 1),
                epsilon));
      }
    }
    parts.add(
        new Head(
            resolution.area(),
            width,
            true,
            classes == 0 ? width : classes,
            classes == 0 ? List.of() : List.of(Head.CLASSIFIER),
            epsilon));
    return new Architecture(KIND, name, parts);
  }

  @Override
  public Swin with(Size size, int count) {
    return new Swin(
        Architectures.nameFor(name, image, size),
        size,
        patch,
        window,
        dim,
        depths,
        heads,
        count,
        epsilon);
  }

  static Swin parse(Keys keys) {
    Size image = keys.size("image", null);
    int patch = keys.integer("patch", null);
    int window = keys.integer("window", null);
    int dim = keys.integer("dim", null);
    List<Integer> depths = keys.integers("depths");
    List<Integer> heads = keys.integers("heads");
    int classes = keys.integer("classes", null);
    double epsilon = keys.real("epsilon", EPSILON);
    String name =
        keys.text("name", "swin_%d_patch%d_window%d_%s".formatted(dim, patch, window, image));
    return new Swin(name, image, patch, window, dim, depths, heads, classes, epsilon);
  }
}
