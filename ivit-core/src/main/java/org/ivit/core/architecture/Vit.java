package org.ivit.core.architecture;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ivit.core.InputException;

/**
 * ViT and DeiT: a class token, a learned position embedding, blocks with the norm before, the head
 * on the class token. A distilled DeiT has a second token and a second head; its logits are the
 * mean of both heads'.
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
    boolean distilled)
    implements Architecture {
  /** The value of {@code kind} in a description. */
  public static final String KIND = "vit";

  /**
   * Checks the sizes.
   *
   * @throws InputException naming the first that is out of range or does not divide
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
    check.multiple("image", image, "patch", patch);
    check.multiple("dim", dim, "heads", heads);
    check.rowOfScores("has", (long) (image / patch) * (image / patch) + (distilled ? 2 : 1));
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

  /** Tokens before the patches, each with a head of its own: one, or two where distilled. */
  public int leadingTokens() {
    return leading().size();
  }

  /** Parameters of the tokens before the patches, in order. */
  public List<String> leading() {
    return distilled ? List.of("cls_token", "dist_token") : List.of("cls_token");
  }

  /** Parameter prefixes of the classifiers, one for each leading token. */
  public List<String> classifiers() {
    return distilled ? List.of("head", "head_dist") : List.of("head");
  }

  /** Patches of a picture. */
  public int patches() {
    return (image / patch) * (image / patch);
  }

  /** Patches and the leading tokens. */
  public int tokens() {
    return patches() + leadingTokens();
  }

  /** Channels of a head. */
  public int headDim() {
    return dim / heads;
  }

  @Override
  public List<Block> blocks() {
    return IntStream.range(0, depth)
        .mapToObj(i -> new Block("blocks." + i, dim, heads, hidden, tokens(), null))
        .toList();
  }

  @Override
  public int features() {
    return dim;
  }

  @Override
  public Map<String, long[]> parameters() {
    ParameterShapes shapes = new ParameterShapes();
    shapes.add("cls_token", 1, 1, dim);
    shapes.add("pos_embed", 1, tokens(), dim);
    leading().stream().skip(1).forEach(token -> shapes.add(token, 1, 1, dim));
    shapes.patchProjection(dim, patch);
    blocks().forEach(shapes::block);
    shapes.norm("norm", dim);
    classifiers().forEach(head -> shapes.linear(head, classes, dim));
    return shapes.all();
  }

  @Override
  public ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("kind", KIND)
        .put("name", name)
        .put("image", image)
        .put("patch", patch)
        .put("dim", dim)
        .put("depth", depth)
        .put("heads", heads)
        .put("hidden", hidden)
        .put("classes", classes)
        .put("epsilon", epsilon);
    if (distilled) {
      json.put("distilled", true);
    }
    return json;
  }

  @Override
  public Vit withImage(int size) {
    return new Vit(
        Architectures.nameFor(name, image, size),
        size,
        patch,
        dim,
        depth,
        heads,
        hidden,
        classes,
        epsilon,
        distilled);
  }

  @Override
  public Vit withClasses(int count) {
    return new Vit(name, image, patch, dim, depth, heads, hidden, count, epsilon, distilled);
  }
}
