package org.ivit.core.family;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.MlpForm;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.Positions;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.architecture.SizeChecks;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Stem.LeadingToken;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.family.VitOptions.Pool;
import org.ivit.core.family.VitOptions.RotaryOption;

/**
 * Plain vision transformers, all blocks of one width over all tokens: ViT, DeiT, DeiT-III, DINOv2,
 * CLIP, SigLIP, BEiT and others, which differ in {@link VitOptions}. A distilled DeiT has a second
 * token and a second head; its logits are the mean of both heads'. Register tokens (Darcet et al.
 * 2024) come after these; no head reads them.
 *
 * @param name timm name
 * @param image size of the picture in pixels, multiples of {@code patch}
 * @param patch height and width of a patch in pixels
 * @param dim channels of a token, a multiple of {@code heads}
 * @param depth number of blocks
 * @param heads attention heads a block
 * @param hidden channels between the two linear layers of the MLP, in most models 4 · dim
 * @param classes number of classes, or channels of the projection; 0 where the answer is a feature
 *     of tokens
 * @param epsilon of the float model's layer norms
 * @param options what else it has
 */
public record Vit(
    String name,
    Size image,
    int patch,
    int dim,
    int depth,
    int heads,
    int hidden,
    int classes,
    double epsilon,
    VitOptions options)
    implements Family {
  /** The value of {@code kind} in a description. */
  public static final String KIND = "vit";

  static final double EPSILON = 1e-6;

  private static final int MOST_REGISTERS = 256;

  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range or does not divide,
   *     or the options that exclude each other
   */
  public Vit {
    SizeChecks check = new SizeChecks(name);
    check.inRange("image", image);
    check.inRange("patch", patch);
    check.inRange("dim", dim);
    check.inRange("depth", depth);
    check.inRange("heads", heads);
    check.inRange("hidden", hidden);
    if (classes != 0) {
      check.inRange("classes", classes);
    }
    check.epsilon(epsilon);
    int registers = options.registers();
    if (registers < 0 || registers > MOST_REGISTERS) {
      throw check.refused("registers is %d, expected 0 to %d".formatted(registers, MOST_REGISTERS));
    }
    check.multiple("image", image, "patch", patch);
    check.multiple("dim", dim, "heads", heads);
    check.rowOfScores("has", (long) image.dividedBy(patch).area() + options.leadingTokens());
    checkOptions(check, classes, options);
  }

  private static void checkOptions(SizeChecks check, int classes, VitOptions options) {
    boolean readsToken = options.pool() == Pool.TOKEN || options.pool() == Pool.TOKEN_AVG;
    if (readsToken && !options.classToken()) {
      throw check.refused(
          "pool is %s without a class token, expected avg or map".formatted(options.pool().key()));
    }
    if (options.pool() == Pool.TOKEN_AVG && (classes == 0 || options.projection())) {
      throw check.refused("pool token_avg, expected it with classes");
    }
    if (options.distilled() && (options.pool() != Pool.TOKEN || classes == 0)) {
      throw check.refused(
          "distilled with pool %s and %d classes, expected pool token and classes"
              .formatted(options.pool().key(), classes));
    }
    if (options.fcNorm() && options.pool() != Pool.AVG) {
      throw check.refused(
          "fc_norm with pool %s, expected pool avg".formatted(options.pool().key()));
    }
    if (options.pool() == Pool.MAP && classes != 0) {
      throw check.refused(
          "%d classes behind an attention pool, expected 0: its answer is a feature"
              .formatted(classes));
    }
    if (options.projection() && (classes == 0 || options.distilled())) {
      throw check.refused("a projection, expected it with classes and without distillation");
    }
    if (options.rotary() != null && options.relativePositions()) {
      throw check.refused("rotary and relative_positions, expected one of them");
    }
    if (options.mlp().gated() && options.activation() != Activation.GELU) {
      throw check.refused(
          "activation %s with mlp %s, which has silu"
              .formatted(options.activation().key(), options.mlp().key()));
    }
    if (options.mlp().gated() && options.pool() == Pool.MAP) {
      throw check.refused(
          "mlp %s with an attention pool, expected plain".formatted(options.mlp().key()));
    }
    if (options.relativePositions() && (!options.classToken() || options.leadingTokens() != 1)) {
      throw check.refused("relative_positions, expected with a class token alone");
    }
  }

  /** A square picture; parameters as those of the record. */
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
      VitOptions options) {
    this(name, Size.of(image), patch, dim, depth, heads, hidden, classes, epsilon, options);
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
    this(name, image, patch, dim, depth, heads, hidden, classes, epsilon, VitOptions.PLAIN);
  }

  /**
   * A ViT or DeiT without registers; parameters as those of the record.
   *
   * @param distilled whether there are a distillation token and its head
   */
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

  /**
   * A ViT or DeiT; parameters as those of the record.
   *
   * @param distilled whether there are a distillation token and its head
   * @param registers number of register tokens, at positions of their own
   */
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
      boolean distilled,
      int registers) {
    this(
        name,
        image,
        patch,
        dim,
        depth,
        heads,
        hidden,
        classes,
        epsilon,
        VitOptions.leading(distilled, registers));
  }

  @Override
  public Architecture architecture() {
    Stem stem = stem();
    int tokens = stem.outputTokens();
    List<Part> parts = new ArrayList<>(List.of(stem));
    if (options.preNorm()) {
      parts.add(new Norm("norm_pre", tokens, dim, epsilon));
    }
    Windows windows = options.relativePositions() ? Windows.whole(stem.grid()) : null;
    MlpForm mlp = options.mlp() == MlpForm.PLAIN ? null : options.mlp();
    for (int i = 0; i < depth; i++) {
      parts.add(
          new Block(
              "blocks." + i,
              dim,
              heads,
              hidden,
              tokens,
              windows,
              rotary(stem.grid()),
              activation(),
              mlp,
              epsilon));
    }
    addAnswer(parts, tokens);
    return new Architecture(KIND, name, parts);
  }

  private Rotary rotary(Size grid) {
    RotaryOption rotary = options.rotary();
    return rotary == null
        ? null
        : new Rotary(rotary.kind(), grid, options.leadingTokens(), rotary.reference());
  }

  private Activation activation() {
    return options.activation() == Activation.GELU ? null : options.activation();
  }

  private Stem stem() {
    List<LeadingToken> leading = new ArrayList<>();
    if (options.classToken()) {
      leading.add(new LeadingToken("cls_token", 1));
    }
    if (options.distilled()) {
      leading.add(new LeadingToken("dist_token", 1));
    }
    if (options.registers() > 0) {
      leading.add(new LeadingToken("reg_token", options.registers()));
    }
    Positions positions = options.positions() == Positions.ALL ? null : options.positions();
    return new Stem(image, patch, dim, leading, false, positions, epsilon);
  }

  private void addAnswer(List<Part> parts, int tokens) {
    switch (options.pool()) {
      case TOKEN -> addAnswer(parts, tokens, Head.NORM);
      case AVG -> {
        if (options.fcNorm()) {
          parts.add(new MeanPooling(tokens, options.leadingTokens(), dim));
          addAnswer(parts, 1, Head.POOLED_NORM);
        } else {
          Integer leading = options.leadingTokens() == 0 ? null : options.leadingTokens();
          parts.add(
              new Head(
                  tokens, dim, true, leading, null, width(), classifiers(), projection(), epsilon));
        }
      }
      case TOKEN_AVG ->
          parts.add(
              new Head(
                  tokens,
                  dim,
                  true,
                  options.leadingTokens(),
                  null,
                  classes,
                  List.of(Head.CLASSIFIER, Head.MEAN_CLASSIFIER),
                  null,
                  epsilon));
      case MAP -> {
        parts.add(new AttentionPooling(tokens, dim, heads, hidden, activation(), epsilon));
        parts.add(Head.ofFirstToken(1, dim));
      }
    }
  }

  /** The norm and what reads the first token. */
  private void addAnswer(List<Part> parts, int tokens, String norm) {
    if (classes == 0) {
      parts.add(new Norm(norm, 1, dim, epsilon));
      parts.add(Head.ofFirstToken(1, dim));
      return;
    }
    String name = norm.equals(Head.NORM) ? null : norm;
    parts.add(
        new Head(tokens, dim, false, null, name, width(), classifiers(), projection(), epsilon));
  }

  private int width() {
    return classes == 0 ? dim : classes;
  }

  private Boolean projection() {
    return options.projection() ? true : null;
  }

  private List<String> classifiers() {
    if (classes == 0) {
      return List.of();
    }
    return options.distilled() ? List.of(Head.CLASSIFIER, "head_dist") : List.of(Head.CLASSIFIER);
  }

  @Override
  public Vit with(Size size, int count) {
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
        options);
  }

  static Vit parse(Keys keys) {
    Size image = keys.size("image", null);
    int patch = keys.integer("patch", null);
    int dim = keys.integer("dim", null);
    int depth = keys.integer("depth", null);
    int heads = keys.integer("heads", null);
    int classes = keys.integer("classes", null);
    // Overflows only for a dim that is refused before hidden is looked at.
    int hidden = keys.integer("hidden", 4 * dim);
    double epsilon = keys.real("epsilon", EPSILON);
    VitOptions options = options(keys);
    String name = keys.text("name", "vit_%dx%d_patch%d_%s".formatted(dim, depth, patch, image));
    return new Vit(name, image, patch, dim, depth, heads, hidden, classes, epsilon, options);
  }

  private static VitOptions options(Keys keys) {
    return new VitOptions(
        keys.flag("class_token", true),
        keys.flag("distilled", false),
        keys.integer("registers", 0),
        keys.word("positions", Positions.ALL, Positions::key),
        keys.flag("relative_positions", false),
        rotary(keys),
        keys.flag("pre_norm", false),
        keys.word("activation", Activation.GELU, Activation::key),
        keys.word("mlp", MlpForm.PLAIN, MlpForm::key),
        keys.word("pool", Pool.TOKEN, Pool::key),
        keys.flag("fc_norm", false),
        keys.flag("projection", false));
  }

  private static RotaryOption rotary(Keys keys) {
    Rotary.Kind kind = keys.word("rotary", Rotary.Kind.class, Rotary.Kind::key);
    Size reference = keys.size("rotary_grid");
    if (kind == null && reference != null) {
      throw new InputException("architecture: rotary_grid without rotary");
    }
    return kind == null ? null : new RotaryOption(kind, reference);
  }
}
