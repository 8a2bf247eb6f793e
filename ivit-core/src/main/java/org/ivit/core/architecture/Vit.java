package org.ivit.core.architecture;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * ViT and DeiT: a class token, a learned position embedding, blocks with the norm before, the head
 * on the class token.
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
    double epsilon)
    implements Architecture {
  /** The value of {@code kind} in a description. */
  public static final String KIND = "vit";

  private static final int CHANNELS = 3;

  /** Far beyond every published model, and small enough that no product of two overflows. */
  private static final int LARGEST = 1 << 15;

  /** The exact softmax needs fewer than 2^16 tokens (arithmetic page, section 4). */
  private static final long MOST_TOKENS = (1 << 16) - 1;

  /**
   * Checks the sizes.
   *
   * @throws InputException naming the first that is out of range or does not divide
   */
  public Vit {
    inRange(name, "image", image);
    inRange(name, "patch", patch);
    inRange(name, "dim", dim);
    inRange(name, "depth", depth);
    inRange(name, "heads", heads);
    inRange(name, "hidden", hidden);
    inRange(name, "classes", classes);
    if (!(epsilon >= 0 && epsilon < 1)) {
      throw refused(name, "epsilon is " + epsilon + ", expected 0 to below 1");
    }
    if (image % patch != 0) {
      throw refused(name, "image is %d, expected a multiple of patch, %d".formatted(image, patch));
    }
    if (dim % heads != 0) {
      throw refused(name, "dim is %d, expected a multiple of heads, %d".formatted(dim, heads));
    }
    long patches = (long) (image / patch) * (image / patch);
    if (patches + 1 > MOST_TOKENS) {
      throw refused(name, "has %d tokens, expected at most %d".formatted(patches + 1, MOST_TOKENS));
    }
  }

  private static void inRange(String name, String key, int value) {
    if (value < 1 || value > LARGEST) {
      throw refused(name, "%s is %d, expected 1 to %d".formatted(key, value, LARGEST));
    }
  }

  private static InputException refused(String name, String reason) {
    return new InputException("architecture " + MessageText.quote(name) + ": " + reason);
  }

  /** Patches of a picture. */
  public int patches() {
    return (image / patch) * (image / patch);
  }

  /** Patches and the class token. */
  public int tokens() {
    return patches() + 1;
  }

  /** Channels of a head. */
  public int headDim() {
    return dim / heads;
  }

  /** Inputs of the patch embedding: channel, row, column of a patch. */
  public int patchInputs() {
    return CHANNELS * patch * patch;
  }

  @Override
  public Map<String, long[]> parameters() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("cls_token", new long[] {1, 1, dim});
    shapes.put("pos_embed", new long[] {1, tokens(), dim});
    shapes.put("patch_embed.proj.weight", new long[] {dim, CHANNELS, patch, patch});
    shapes.put("patch_embed.proj.bias", new long[] {dim});
    for (int i = 0; i < depth; i++) {
      String block = "blocks." + i + ".";
      norm(shapes, block + "norm1");
      linear(shapes, block + "attn.qkv", 3L * dim, dim);
      linear(shapes, block + "attn.proj", dim, dim);
      norm(shapes, block + "norm2");
      linear(shapes, block + "mlp.fc1", hidden, dim);
      linear(shapes, block + "mlp.fc2", dim, hidden);
    }
    norm(shapes, "norm");
    linear(shapes, "head", classes, dim);
    return Collections.unmodifiableMap(shapes);
  }

  private void norm(Map<String, long[]> shapes, String name) {
    shapes.put(name + ".weight", new long[] {dim});
    shapes.put(name + ".bias", new long[] {dim});
  }

  private static void linear(Map<String, long[]> shapes, String name, long outputs, long inputs) {
    shapes.put(name + ".weight", new long[] {outputs, inputs});
    shapes.put(name + ".bias", new long[] {outputs});
  }

  @Override
  public ObjectNode toJson() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("kind", KIND)
        .put("name", name)
        .put("image", image)
        .put("patch", patch)
        .put("dim", dim)
        .put("depth", depth)
        .put("heads", heads)
        .put("hidden", hidden)
        .put("classes", classes)
        .put("epsilon", epsilon);
  }

  @Override
  public Vit withClasses(int count) {
    return new Vit(name, image, patch, dim, depth, heads, hidden, count, epsilon);
  }
}
