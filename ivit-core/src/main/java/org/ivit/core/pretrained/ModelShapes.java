package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/** The sizes and options of a model that the names and shapes of its tensors show. */
final class ModelShapes {
  private static final Pattern BLOCK = Pattern.compile("blocks\\.(\\d{1,4})\\..*");
  private static final Pattern STAGED =
      Pattern.compile("layers\\.(\\d{1,2})\\.blocks\\.(\\d{1,3})\\..*");
  private static final String TABLE = "attn.relative_position_bias_table";

  /** Rows of a table for the class token: it asks, it is asked, it asks itself. */
  private static final int CLASS_ROWS = 3;

  private static final String FC1 = "blocks.0.mlp.fc1.weight";
  private static final String FC2 = "blocks.0.mlp.fc2.weight";
  private static final String ROTARY = "rotary";

  private static final int HEAD_DIM = 64;

  /** Published widths whose heads have not 64 channels, but in DINOv3, with their heads. */
  private static final Map<Long, Integer> HEADS =
      Map.of(1152L, 16, 1280L, 16, 1408L, 16, 1664L, 16);

  private static final double EPSILON = 1e-6;
  private static final double WIDER_EPSILON = 1e-5;

  private final TensorFile file;
  private final ObjectNode claims;
  private final ObjectNode description = JsonNodeFactory.instance.objectNode();

  private ModelShapes(TensorFile file, ObjectNode claims) {
    this.file = file;
    this.claims = claims;
  }

  /**
   * Completes what is known of a model to an inline description.
   *
   * @param file parameters under timm's names
   * @param claims keys that are known, which stay as they are
   * @return of kind {@code vit} or {@code swin}; keys that are as by default are left out
   * @throws InputException naming the tensor that is missing or of a shape that says nothing, or
   *     what neither claims nor shapes say
   */
  static ObjectNode describe(TensorFile file, ObjectNode claims) {
    ModelShapes shapes = new ModelShapes(file, claims);
    if (shapes.has("layers.0.blocks.0.norm1.weight")) {
      shapes.swin();
    } else {
      shapes.vit();
    }
    return shapes.description;
  }

  private void vit() {
    long dim = extent("patch_embed.proj.weight", 0, 4);
    put("kind", "vit");
    int patch = patch();
    int depth = 0;
    for (String name : file.tensors().keySet()) {
      Matcher block = BLOCK.matcher(name);
      if (block.matches()) {
        depth = Math.max(depth, Integer.parseInt(block.group(1)) + 1);
      }
    }
    boolean classToken = has("cls_token");
    boolean distilled = has("dist_token");
    long registers = has("reg_token") ? extent("reg_token", 1, 3) : 0;
    long prefix = (classToken ? 1 : 0) + (distilled ? 1 : 0) + registers;
    put("name", "vit");
    putImage(patch, prefix);
    put("patch", patch);
    put("dim", dim);
    put("depth", depth);
    boolean preNorm = has("norm_pre.weight");
    if (!claims.has("heads")) {
      description.put("heads", (int) heads(dim));
    } else {
      description.set("heads", claims.get("heads"));
    }
    boolean gated = has("blocks.0.mlp.fc1_g.weight") || isPacked();
    put("hidden", gated ? extent(FC2, 1, 2) : extent(FC1, 0, 2));
    put("classes", has("head.weight") ? extent("head.weight", 0, 2) : 0);
    putReal("epsilon", preNorm ? WIDER_EPSILON : EPSILON);
    putUnless("distilled", distilled, false);
    putUnless("registers", registers, 0);
    putPositions(patch, prefix);
    putUnless("class_token", classToken, true);
    putUnless("pre_norm", preNorm, false);
    String pool =
        has("attn_pool.latent") ? "map" : has("fc_norm.weight") || !classToken ? "avg" : "token";
    putUnless("pool", pool, "token");
    putUnless("fc_norm", has("fc_norm.weight"), false);
    putUnless("activation", "gelu", "gelu");
    if (gated) {
      put("mlp", has("blocks.0.mlp.norm.weight") ? "swiglu_norm" : "swiglu");
    }
    for (String key : new String[] {ROTARY, "rotary_grid"}) {
      if (claims.has(key)) {
        description.set(key, claims.get(key));
      }
    }
    putUnless("projection", false, false);
    putUnless("relative_positions", has("blocks.0." + TABLE), false);
  }

  private void swin() {
    put("kind", "swin");
    put("name", "swin");
    if (!claims.has("image")) {
      throw unknown("the picture size", "image");
    }
    description.set("image", claims.get("image"));
    put("patch", patch());
    Map<Integer, Integer> depths = new TreeMap<>();
    for (String name : file.tensors().keySet()) {
      Matcher block = STAGED.matcher(name);
      if (block.matches()) {
        depths.merge(
            Integer.parseInt(block.group(1)), Integer.parseInt(block.group(2)) + 1, Math::max);
      }
    }
    ArrayNode blocks = JsonNodeFactory.instance.arrayNode();
    ArrayNode heads = JsonNodeFactory.instance.arrayNode();
    depths.forEach(
        (stage, depth) -> {
          blocks.add(depth);
          heads.add(extent("layers.%d.blocks.0.%s".formatted(stage, TABLE), 1, 2));
        });
    long rows = extent("layers.0.blocks.0." + TABLE, 0, 2);
    put("window", (root(rows) + 1) / 2);
    put("dim", extent("patch_embed.proj.weight", 0, 4));
    description.set("depths", claims.has("depths") ? claims.get("depths") : blocks);
    description.set("heads", claims.has("heads") ? claims.get("heads") : heads);
    put("classes", has("head.weight") ? extent("head.weight", 0, 2) : 0);
    putReal("epsilon", WIDER_EPSILON);
  }

  private int patch() {
    long height = extent("patch_embed.proj.weight", 2, 4);
    long width = extent("patch_embed.proj.weight", 3, 4);
    if (height != width) {
      throw new InputException(
          "%s: tensor patch_embed.proj.weight: has patches of %d × %d pixels, expected squares"
              .formatted(file.source(), height, width));
    }
    return (int) height;
  }

  private void putImage(int patch, long prefix) {
    if (claims.has("image")) {
      description.set("image", claims.get("image"));
      return;
    }
    long side = 0;
    if (has("pos_embed")) {
      long tokens = extent("pos_embed", 1, 3);
      side = root(tokens) > 0 ? root(tokens) : root(tokens - prefix);
    } else if (has("blocks.0." + TABLE)) {
      long rows = extent("blocks.0." + TABLE, 0, 2) - (has("cls_token") ? CLASS_ROWS : 0);
      side = root(rows) > 0 ? (root(rows) + 1) / 2 : 0;
    }
    if (side == 0) {
      throw unknown("the picture size", "image");
    }
    description.put("image", (int) side * patch);
  }

  /**
   * All tokens have a position, or the patches alone. Where the count is that of neither, the
   * positions are of a square grid.
   */
  private void putPositions(int patch, long prefix) {
    String positions = "all";
    if (!has("pos_embed")) {
      positions = "none";
    } else if (prefix > 0) {
      long tokens = extent("pos_embed", 1, 3);
      long patches = Size.read(description.get("image")).dividedBy(patch).area();
      boolean all = tokens == patches + prefix || (tokens != patches && root(tokens) == 0);
      positions = all ? "all" : "patches";
    }
    putUnless("positions", positions, "all");
  }

  /** Whether gate and value of SwiGLU lie in one. */
  private boolean isPacked() {
    return has(FC1) && has(FC2) && CanonicalWeights.isPacked(file.get(FC1), file.get(FC2));
  }

  private long heads(long dim) {
    if (has("blocks.0." + TABLE)) {
      return extent("blocks.0." + TABLE, 1, 2);
    }
    Integer published = HEADS.get(dim);
    if (published != null && !claims.path(ROTARY).asText().equals("dinov3")) {
      return published;
    }
    if (dim % HEAD_DIM != 0) {
      throw unknown(
          "the number of heads, and %d channels are no multiple of 64".formatted(dim), "heads");
    }
    // SigLIP's widest has 16 heads of 96, DINOv2's of the same width 24 of 64.
    return dim == 1536 && has("attn_pool.latent") ? 16 : dim / HEAD_DIM;
  }

  private InputException unknown(String what, String key) {
    return new InputException(
        "%s: nothing says %s, expected --architecture '{\"%s\": …}'"
            .formatted(file.source(), what, key));
  }

  private boolean has(String name) {
    return file.tensors().containsKey(name);
  }

  private long extent(String name, int dimension, int dimensions) {
    Tensor tensor = file.get(name);
    long[] shape = tensor.shape();
    if (shape.length != dimensions) {
      throw new InputException(
          "%s: tensor %s: is %s, expected %d dimensions"
              .formatted(file.source(), name, tensor, dimensions));
    }
    return shape[dimension];
  }

  private void put(String key, long value) {
    description.set(
        key, claims.has(key) ? claims.get(key) : JsonNodeFactory.instance.numberNode((int) value));
  }

  private void put(String key, String value) {
    description.set(
        key, claims.has(key) ? claims.get(key) : JsonNodeFactory.instance.textNode(value));
  }

  private void putReal(String key, double value) {
    description.set(
        key, claims.has(key) ? claims.get(key) : JsonNodeFactory.instance.numberNode(value));
  }

  private void putUnless(String key, boolean value, boolean usual) {
    putUnless(
        key,
        JsonNodeFactory.instance.booleanNode(value),
        JsonNodeFactory.instance.booleanNode(usual));
  }

  private void putUnless(String key, long value, int usual) {
    putUnless(
        key,
        JsonNodeFactory.instance.numberNode((int) value),
        JsonNodeFactory.instance.numberNode(usual));
  }

  private void putUnless(String key, String value, String usual) {
    putUnless(
        key, JsonNodeFactory.instance.textNode(value), JsonNodeFactory.instance.textNode(usual));
  }

  private void putUnless(String key, JsonNode value, JsonNode usual) {
    JsonNode put = claims.has(key) ? claims.get(key) : value;
    if (!put.equals(usual)) {
      description.set(key, put);
    }
  }

  private static long root(long square) {
    return PositionGrid.root(square);
  }
}
