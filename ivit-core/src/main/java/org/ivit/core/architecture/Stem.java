package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.architecture.Parameter.Role;

/**
 * Pixels to tokens: a product over patches, then either learned positions, with leading tokens
 * before the patches, or a norm.
 *
 * @param image size of the picture in pixels, multiples of {@code patch}
 * @param patch height and width of a patch in pixels
 * @param dim channels of a token
 * @param leading tokens before the patches; none where {@code normed}
 * @param normed whether a norm follows instead of positions
 * @param positions which tokens have one; null for all, and where {@code normed}
 * @param epsilon what is added to the variance in the float model's norm
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Stem(
    Size image,
    int patch,
    int dim,
    List<LeadingToken> leading,
    boolean normed,
    Positions positions,
    double epsilon)
    implements Part {
  /** Parameter prefix of the product. */
  public static final String PROJECTION = "patch_embed.proj";

  /** The parameter of positions. */
  public static final String POSITION = "pos_embed";

  private static final int CHANNELS = 3;
  private static final String NORM = "patch_embed.norm";

  /**
   * Tokens before the patches, which are learned constants.
   *
   * @param name of the parameter, [1][count][dim]
   * @param count how many tokens
   */
  public record LeadingToken(String name, int count) {}

  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range or does not divide
   */
  public Stem {
    leading = List.copyOf(leading);
    SizeChecks check = new SizeChecks("stem");
    check.inRange("image", image);
    check.inRange("patch", patch);
    check.inRange("dim", dim);
    check.epsilon(epsilon);
    check.multiple("image", image, "patch", patch);
    for (LeadingToken token : leading) {
      check.inRange(token.name(), token.count());
    }
    if (normed && !leading.isEmpty()) {
      throw check.refused("has leading tokens and a norm, expected one of both");
    }
    if (normed && positions != null) {
      throw check.refused("has positions and a norm, expected one of both");
    }
  }

  /** Which tokens have a position; none where {@link #normed}. */
  public Positions positioned() {
    if (normed) {
      return Positions.NONE;
    }
    return positions == null ? Positions.ALL : positions;
  }

  /** Rows of {@link #POSITION}; 0 where there is no such parameter. */
  public int positionRows() {
    return switch (positioned()) {
      case ALL -> outputTokens();
      case PATCHES -> patches();
      case NONE -> 0;
    };
  }

  /** Rows of tokens before the patches. */
  public int leadingTokens() {
    return leading.stream().mapToInt(LeadingToken::count).sum();
  }

  /** Rows and columns of patches. */
  public Size grid() {
    return image.dividedBy(patch);
  }

  /** Patches of a picture. */
  public int patches() {
    return grid().area();
  }

  /** Numbers of a picture. */
  public int pixels() {
    return CHANNELS * image.area();
  }

  /** Numbers of a patch, in the order (channel, row, column). */
  public int patchInputs() {
    return CHANNELS * patch * patch;
  }

  /** The product over patches. */
  public LinearSpec projection() {
    Node node =
        normed
            ? new Node(PROJECTION, NodeKind.PATCH_CODES)
            : new Node("patch_embed", NodeKind.PATCHES);
    return new LinearSpec(PROJECTION, node, Node.INPUT, patchInputs(), dim, true);
  }

  @Override
  public List<Parameter> parameters() {
    Parameters all = new Parameters();
    if (!normed) {
      // In timm the class token comes before the positions, tokens of later models behind them.
      int first = Math.min(1, leading.size());
      leading.subList(0, first).forEach(token -> token(all, token));
      if (positionRows() > 0) {
        all.add(POSITION, Role.POSITION, 1, positionRows(), dim);
      }
      leading.subList(first, leading.size()).forEach(token -> token(all, token));
    }
    all.add(projection().weight(), Role.CONVOLUTION, dim, CHANNELS, patch, patch)
        .add(projection().bias(), Role.BIAS, dim);
    if (normed) {
      all.norm(NORM, dim);
    }
    return all.all();
  }

  private void token(Parameters all, LeadingToken token) {
    all.add(token.name(), Role.TOKEN, 1, token.count(), dim);
  }

  @Override
  public List<Node> nodes() {
    return List.of(Node.INPUT, projection().node(), output());
  }

  @Override
  public List<LinearSpec> linears() {
    return List.of(projection());
  }

  @Override
  public Node output() {
    return normed ? new Node(NORM, NodeKind.PATCH_NORM) : new Node("embed", NodeKind.EMBEDDING);
  }

  @Override
  public int readTokens() {
    return 0;
  }

  @Override
  public int inputDim() {
    return CHANNELS;
  }

  @Override
  public int outputTokens() {
    return leadingTokens() + patches();
  }

  @Override
  public int outputDim() {
    return dim;
  }

  @Override
  public <R> R accept(PartVisitor<R> visitor) {
    return visitor.stem(this);
  }
}
