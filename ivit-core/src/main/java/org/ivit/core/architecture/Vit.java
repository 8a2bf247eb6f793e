package org.ivit.core.architecture;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Stem.LeadingToken;

/**
 * ViT and DeiT: a class token, a learned position embedding, blocks with the norm before, the head
 * on the class token. A distilled DeiT has a second token and a second head; its logits are the
 * mean of both heads'. Register tokens (Darcet et al. 2024) come after these, at positions of their
 * own; no head reads them.
 *
 * @param name timm name
 * @param image height and width of the picture in pixels, a multiple of {@code patch}
 * @param patch height and width of a patch in pixels
 * @param dim channels of a token, a multiple of {@code heads}
 * @param depth number of blocks
 * @param heads attention heads a block
 * @param hidden channels between the two linear layers of the MLP, in timm 4 · dim
 * @param classes number of classes
 * @param epsilon of the float model's layer norms, 1e-6 for ViT and DeiT
 * @param distilled whether there are a distillation token and its head
 * @param registers number of register tokens, 0 or more
 */
public record Vit(
    String name,
    int image,
    int patch,
    int dim,
    int depth,
    int heads,
    int hidden,
    int classes,
    double epsilon,
    boolean distilled,
    int registers)
    implements Family {
  /** The value of {@code kind} in a description. */
  public static final String KIND = "vit";

  static final double EPSILON = 1e-6;

  private static final int MOST_REGISTERS = 256;

  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range or does not divide
   */
  public Vit {
    SizeChecks check = new SizeChecks(name);
    check.inRange("image", image);
    check.inRange("patch", patch);
    check.inRange("dim", dim);
    check.inRange("depth", depth);
    check.inRange("heads", heads);
    check.inRange("hidden", hidden);
    check.inRange("classes", classes);
    check.epsilon(epsilon);
    if (registers < 0 || registers > MOST_REGISTERS) {
      throw check.refused("registers is %d, expected 0 to %d".formatted(registers, MOST_REGISTERS));
    }
    check.multiple("image", image, "patch", patch);
    check.multiple("dim", dim, "heads", heads);
    int leading = (distilled ? 2 : 1) + registers;
    check.rowOfScores("has", (long) (image / patch) * (image / patch) + leading);
  }

  /** A ViT or DeiT with a class token alone; parameters as those of the record. */
  public Vit(
      String name,
      int image,
      int patch,
      int dim,
      int depth,
      int heads,
      int hidden,
      int classes,
      double epsilon) {
    this(name, image, patch, dim, depth, heads, hidden, classes, epsilon, false);
  }

  /** A ViT or DeiT without registers; parameters as those of the record. */
  public Vit(
      String name,
      int image,
      int patch,
      int dim,
      int depth,
      int heads,
      int hidden,
      int classes,
      double epsilon,
      boolean distilled) {
    this(name, image, patch, dim, depth, heads, hidden, classes, epsilon, distilled, 0);
  }

  @Override
  public Architecture architecture() {
    List<LeadingToken> leading = new ArrayList<>(List.of(new LeadingToken("cls_token", 1)));
    List<String> classifiers = new ArrayList<>(List.of(Head.CLASSIFIER));
    if (distilled) {
      leading.add(new LeadingToken("dist_token", 1));
      classifiers.add("head_dist");
    }
    if (registers > 0) {
      leading.add(new LeadingToken("reg_token", registers));
    }
    Stem stem = new Stem(image, patch, dim, leading, false, epsilon);
    int tokens = stem.outputTokens();
    List<Part> parts = new ArrayList<>(List.of(stem));
    for (int i = 0; i < depth; i++) {
      parts.add(new Block("blocks." + i, dim, heads, hidden, tokens, null, epsilon));
    }
    parts.add(new Head(tokens, dim, false, classes, classifiers, epsilon));
    return new Architecture(KIND, name, parts);
  }

  @Override
  public Vit with(int size, int count) {
    return new Vit(
        Architectures.nameFor(name, image, size),
        size,
        patch,
        dim,
        depth,
        heads,
        hidden,
        count,
        epsilon,
        distilled,
        registers);
  }

  static Vit parse(Keys keys) {
    int image = keys.integer("image", null);
    int patch = keys.integer("patch", null);
    int dim = keys.integer("dim", null);
    int depth = keys.integer("depth", null);
    int heads = keys.integer("heads", null);
    int classes = keys.integer("classes", null);
    // Overflows only for a dim that is refused before hidden is looked at.
    int hidden = keys.integer("hidden", 4 * dim);
    double epsilon = keys.real("epsilon", EPSILON);
    boolean distilled = keys.flag("distilled");
    int registers = keys.integer("registers", 0);
    String name = keys.text("name", "vit_%dx%d_patch%d_%d".formatted(dim, depth, patch, image));
    return new Vit(
        name, image, patch, dim, depth, heads, hidden, classes, epsilon, distilled, registers);
  }
}
