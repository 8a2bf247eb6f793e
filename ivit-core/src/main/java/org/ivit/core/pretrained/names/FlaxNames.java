package org.ivit.core.pretrained.names;

import java.util.List;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.tensor.Tensor;

/** The {@code .npz} of augreg, and of big_vision: SigLIP and FlexiViT. */
final class FlaxNames implements Convention {
  private static final String PATCHES = "embedding/kernel";
  private static final String PICTURES = "params/img/";
  private static final List<String> PREFIXES = List.of("", PICTURES, "params/", "opt/target/");

  /** In this order; attention and MLP of augreg have other numbers than those of big_vision. */
  private static final String[][] NAMES = {
    {"MAPHead_0/probe", "attn_pool.latent"},
    {"MAPHead_0/LayerNorm_0/", "attn_pool.norm."},
    {"MAPHead_0/MlpBlock_0/Dense_0/", "attn_pool.mlp.fc1."},
    {"MAPHead_0/MlpBlock_0/Dense_1/", "attn_pool.mlp.fc2."},
    {"MAPHead_0/MultiHeadDotProductAttention_0/out/", "attn_pool.proj."},
    {"MAPHead_0/MultiHeadDotProductAttention_0/", "attn_pool."},
    {"Transformer/posembed_input/pos_embedding", "pos_embed"},
    {"pos_embedding", "pos_embed"},
    {"Transformer/encoder_norm/", "norm."},
    {"Transformer/encoderblock_", "blocks."},
    {"/LayerNorm_0/", ".norm1."},
    {"/LayerNorm_1/", ".norm2."},
    {"/LayerNorm_2/", ".norm2."},
    {"/MultiHeadDotProductAttention_0/out/", ".attn.proj."},
    {"/MultiHeadDotProductAttention_0/", ".attn."},
    {"/MultiHeadDotProductAttention_1/out/", ".attn.proj."},
    {"/MultiHeadDotProductAttention_1/", ".attn."},
    {"/MlpBlock_0/Dense_0/", ".mlp.fc1."},
    {"/MlpBlock_0/Dense_1/", ".mlp.fc2."},
    {"/MlpBlock_3/Dense_0/", ".mlp.fc1."},
    {"/MlpBlock_3/Dense_1/", ".mlp.fc2."},
    {"embedding/", "patch_embed.proj."},
    {"pre_logits/", "pre_logits.fc."},
    {"head/", "head."},
    {"query/", "query."},
    {"key/", "key."},
    {"value/", "value."},
  };

  private final String prefix;

  private FlaxNames(String prefix) {
    this.prefix = prefix;
  }

  /** Null where the names are of another source. */
  static FlaxNames of(Set<String> names) {
    return PREFIXES.stream()
        .filter(prefix -> names.contains(prefix + PATCHES))
        .findFirst()
        .map(FlaxNames::new)
        .orElse(null);
  }

  /** Whether they are of big_vision. */
  boolean bigVision() {
    return prefix.startsWith("params/");
  }

  @Override
  public String timm(String name) {
    if (!name.startsWith(prefix)) {
      return null;
    }
    String plain = name.substring(prefix.length());
    String renamed = plain.equals("cls") ? "cls_token" : Convention.replaced(plain, NAMES);
    for (String parameter : List.of("kernel", "scale")) {
      if (renamed.endsWith(parameter)) {
        return renamed.substring(0, renamed.length() - parameter.length()) + "weight";
      }
    }
    return renamed;
  }

  @Override
  public Tensor laid(String name, String file, Tensor tensor) {
    if (name.endsWith("kernel")) {
      return kernel(name, file, tensor);
    }
    return name.endsWith("bias") ? Layouts.reshaped(tensor, tensor.size()) : tensor;
  }

  /** HWIO to OIHW; (inputs, heads, channels), (heads, channels, outputs) or (inputs, outputs). */
  private static Tensor kernel(String name, String file, Tensor tensor) {
    long[] shape = tensor.shape();
    if (shape.length == 4) {
      return Layouts.permuted(tensor, 3, 2, 0, 1);
    }
    if (shape.length != 2 && shape.length != 3) {
      throw new InputException(
          "%s: tensor %s: has %d dimensions, expected the 2 to 4 of a kernel"
              .formatted(file, MessageText.quote(name), shape.length));
    }
    boolean out = name.contains("/out/") && shape.length == 3;
    long inputs = out ? shape[0] * shape[1] : shape[0];
    long outputs = inputs == 0 ? 0 : tensor.size() / inputs;
    return Layouts.permuted(Layouts.reshaped(tensor, inputs, outputs), 1, 0);
  }
}
