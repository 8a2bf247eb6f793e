package org.ivit.core.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * Brings the tensors of timm, of the models' first releases, of Hugging Face's {@code
 * ForImageClassification} and of augreg's {@code .npz} to the names and layouts of timm and the
 * releases. A name that is not known stays, so that the check against the architecture lists it.
 */
public final class TimmNames {
  private static final String ATTENTION = ".attn.";
  private static final List<String> HUGGING_FACE = List.of("vit.", "deit.", "swin.");
  private static final List<String> QKV = List.of("query", "key", "value");

  /** In this order; a longer text stands before one that it contains. */
  private static final String[][] HUGGING_FACE_NAMES = {
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.distillation_token", "dist_token"},
    {"embeddings.position_embeddings", "pos_embed"},
    {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"embeddings.norm.", "patch_embed.norm."},
    {"encoder.layers.", "layers."},
    {"encoder.layer.", "blocks."},
    {"attention.self.relative_position", "attn.relative_position"},
    {"attention.attention.", "attn."},
    {"attention.self.", "attn."},
    {"attention.output.dense.", "attn.proj."},
    {"intermediate.dense.", "mlp.fc1."},
    {"output.dense.", "mlp.fc2."},
    {"layernorm_before.", "norm1."},
    {"layernorm_after.", "norm2."},
    {"cls_classifier.", "head."},
    {"distillation_classifier.", "head_dist."},
    {"classifier.", "head."},
  };

  private static final String[][] AUGREG_NAMES = {
    {"Transformer/posembed_input/pos_embedding", "pos_embed"},
    {"Transformer/encoder_norm/", "norm."},
    {"Transformer/encoderblock_", "blocks."},
    {"/LayerNorm_0/", ".norm1."},
    {"/LayerNorm_2/", ".norm2."},
    {"/MultiHeadDotProductAttention_1/out/", ".attn.proj."},
    {"/MultiHeadDotProductAttention_1/", ".attn."},
    {"/MlpBlock_3/Dense_0/", ".mlp.fc1."},
    {"/MlpBlock_3/Dense_1/", ".mlp.fc2."},
    {"embedding/", "patch_embed.proj."},
    {"pre_logits/", "pre_logits.fc."},
    {"head/", "head."},
    {"query/", "query."},
    {"key/", "key."},
    {"value/", "value."},
  };

  /** Who named the tensors of a file. */
  private enum Origin {
    TIMM,
    /** Mergings at the end of a stage. */
    SWIN_EARLY,
    /** Mergings at the begin of the next stage. */
    SWIN_LATE,
    HUGGING_FACE,
    AUGREG
  }

  private final Origin origin;

  private TimmNames(Origin origin) {
    this.origin = origin;
  }

  /**
   * Finds out who named the tensors of a model.
   *
   * @param names of all its tensors
   */
  public static TimmNames from(Set<String> names) {
    if (names.contains("embedding/kernel")) {
      return new TimmNames(Origin.AUGREG);
    }
    if (names.stream().anyMatch(TimmNames::isHuggingFace)) {
      return new TimmNames(Origin.HUGGING_FACE);
    }
    if (!names.contains("layers.0.blocks.0.norm1.weight")) {
      return new TimmNames(Origin.TIMM);
    }
    boolean late =
        names.contains("layers.1.downsample.reduction.weight")
            && !names.contains("layers.0.downsample.reduction.weight");
    return new TimmNames(late ? Origin.SWIN_LATE : Origin.SWIN_EARLY);
  }

  /**
   * What timm calls a tensor; query, key and value come to one name.
   *
   * @param name in the file
   * @return null for a tensor that no model needs
   */
  public String timm(String name) {
    String renamed = member(name);
    if (renamed == null || (origin != Origin.AUGREG && origin != Origin.HUGGING_FACE)) {
      return renamed;
    }
    for (String part : QKV) {
      renamed = renamed.replace(ATTENTION + part + ".", ATTENTION + "qkv.");
    }
    return renamed;
  }

  /** As {@link #timm}, query, key and value apart. */
  private String member(String name) {
    if (name.endsWith(".relative_position_index") || name.endsWith(".attn_mask")) {
      return null;
    }
    return switch (origin) {
      case TIMM -> name;
      case SWIN_EARLY -> inStage(name, false);
      case SWIN_LATE -> inStage(name, true);
      case HUGGING_FACE -> huggingFace(name);
      case AUGREG -> augreg(name);
    };
  }

  /**
   * Renames, and joins query, key and value.
   *
   * @param file tensors under the names of their file
   * @return the same under timm's
   * @throws InputException if two tensors come to one name, or query, key and value do not match
   */
  public static TensorFile of(TensorFile file) {
    TimmNames names = from(file.tensors().keySet());
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    file.tensors()
        .forEach(
            (name, tensor) -> {
              String plain = names.member(name);
              if (plain != null) {
                Tensor laid =
                    names.origin == Origin.AUGREG ? laid(name, file.source(), tensor) : tensor;
                put(file.source(), tensors, plain, laid);
              }
            });
    boolean apart = names.origin == Origin.AUGREG || names.origin == Origin.HUGGING_FACE;
    return new TensorFile(
        apart ? joined(file.source(), tensors) : tensors, file.metadata(), file.source());
  }

  private static boolean isHuggingFace(String name) {
    return HUGGING_FACE.stream().anyMatch(name::startsWith);
  }

  private static String huggingFace(String name) {
    String plain = isHuggingFace(name) ? name.substring(name.indexOf('.') + 1) : name;
    if (plain.startsWith("layernorm.")) {
      plain = "norm." + plain.substring("layernorm.".length());
    }
    boolean unused = plain.startsWith("pooler.") || plain.equals("embeddings.mask_token");
    return unused ? null : replaced(plain, HUGGING_FACE_NAMES);
  }

  private static String augreg(String name) {
    String plain = name.equals("cls") ? "cls_token" : replaced(name, AUGREG_NAMES);
    for (String parameter : List.of("kernel", "scale")) {
      if (plain.endsWith(parameter)) {
        return plain.substring(0, plain.length() - parameter.length()) + "weight";
      }
    }
    return plain;
  }

  /** An augreg tensor in the layout of timm. */
  private static Tensor laid(String name, String source, Tensor tensor) {
    if (name.endsWith("kernel")) {
      return kernel(name, source, tensor);
    }
    return name.endsWith("bias") ? reshaped(tensor, tensor.size()) : tensor;
  }

  /** HWIO to OIHW; (inputs, heads, channels), (heads, channels, outputs) or (inputs, outputs). */
  private static Tensor kernel(String name, String source, Tensor tensor) {
    long[] shape = tensor.shape();
    if (shape.length == 4) {
      long[] to = {shape[3], shape[2], shape[0], shape[1]};
      long[] strides = {1, shape[3], shape[1] * shape[2] * shape[3], shape[2] * shape[3]};
      return strided(name, source, tensor, to, strides);
    }
    if (shape.length != 2 && shape.length != 3) {
      throw new InputException(
          "%s: tensor %s: has %d dimensions, expected the 2 to 4 of a kernel"
              .formatted(source, MessageText.quote(name), shape.length));
    }
    boolean out = name.contains("/out/") && shape.length == 3;
    long inputs = out ? shape[0] * shape[1] : shape[0];
    long outputs = inputs == 0 ? 0 : tensor.size() / inputs;
    return strided(
        name, source, tensor, new long[] {outputs, inputs}, new long[] {1, Math.max(1, outputs)});
  }

  private static Tensor strided(
      String name, String source, Tensor tensor, long[] shape, long[] strides) {
    String origin = source + ": tensor " + MessageText.quote(name);
    CopyBudget budget = new CopyBudget(tensor.buffer().remaining(), 1);
    return new StridedView(tensor.dtype(), 0, shape, strides).of(origin, tensor.buffer(), budget);
  }

  private static Tensor reshaped(Tensor tensor, long... shape) {
    return Tensor.view(tensor.dtype(), tensor.buffer(), shape);
  }

  private static Map<String, Tensor> joined(String source, Map<String, Tensor> tensors) {
    Map<String, Tensor> joined = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          int at = name.lastIndexOf(".attn.query.");
          boolean member =
              name.contains(".attn.query.")
                  || name.contains(".attn.key.")
                  || name.contains(".attn.value.");
          if (at >= 0) {
            String prefix = name.substring(0, at + ".attn.".length());
            String suffix = name.substring(prefix.length() + "query".length());
            put(source, joined, prefix + "qkv" + suffix, join(source, tensors, prefix, suffix));
          } else if (!member || !tensors.containsKey(queryOf(name))) {
            put(source, joined, name, tensor);
          }
        });
    return joined;
  }

  private static String queryOf(String name) {
    return name.replace(".attn.key.", ".attn.query.").replace(".attn.value.", ".attn.query.");
  }

  private static Tensor join(
      String source, Map<String, Tensor> tensors, String prefix, String suffix) {
    Tensor query = tensors.get(prefix + "query" + suffix);
    long[] shape = query.shape();
    long bytes = 3L * query.buffer().remaining();
    if (shape.length == 0 || bytes > Integer.MAX_VALUE) {
      throw new InputException(
          "%s: tensor %squery%s: cannot be joined".formatted(source, prefix, suffix));
    }
    ByteBuffer all = ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (String part : QKV) {
      Tensor tensor = tensors.get(prefix + part + suffix);
      boolean same =
          tensor != null && tensor.dtype() == query.dtype() && Arrays.equals(tensor.shape(), shape);
      if (!same) {
        throw new InputException(
            "%s: tensor %s%s%s: is %s, expected %s as its query"
                .formatted(
                    source, prefix, part, suffix, tensor == null ? "missing" : tensor, query));
      }
      all.put(tensor.buffer());
    }
    shape[0] *= QKV.size();
    return Tensor.view(query.dtype(), all.flip(), shape);
  }

  /**
   * timm since 0.9 has a merging at the begin of a stage, the release at the end of the one before;
   * and the head of such a model in {@code head.fc}.
   *
   * @param late whether it is at the begin
   */
  private static String inStage(String name, boolean late) {
    if (name.startsWith("head.fc.")) {
      return "head." + name.substring("head.fc.".length());
    }
    if (late && name.matches("layers\\.[1-9]\\.downsample\\..*")) {
      return "layers." + (name.charAt(7) - '1') + name.substring(8);
    }
    return name;
  }

  private static String replaced(String name, String[][] names) {
    String replaced = name;
    for (String[] pair : names) {
      replaced = replaced.replace(pair[0], pair[1]);
    }
    return replaced;
  }

  private static void put(String source, Map<String, Tensor> tensors, String name, Tensor tensor) {
    if (tensors.put(name, tensor) != null) {
      throw new InputException(
          "%s: two of its tensors come to the name %s".formatted(source, MessageText.quote(name)));
    }
  }
}
