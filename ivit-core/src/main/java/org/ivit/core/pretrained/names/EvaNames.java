package org.ivit.core.pretrained.names;

import java.util.Set;
import java.util.regex.Pattern;

/** EVA-02 of timm, whose queries, keys and values lie apart, and of its release. */
final class EvaNames implements Convention {
  /** Tables that follow from sizes. */
  private static final Pattern TABLE = Pattern.compile("(.*\\.)?rope\\.freqs_(cos|sin)");

  private static final String[][] NAMES = {
    {".attn.q_proj.", ".attn.query."},
    {".attn.k_proj.", ".attn.key."},
    {".attn.v_proj.", ".attn.value."},
    {".mlp.ffn_ln.", ".mlp.norm."},
  };

  static boolean matches(Set<String> names) {
    return names.contains("blocks.0.attn.q_proj.weight")
        || names.contains("blocks.0.mlp.w3.weight");
  }

  @Override
  public String timm(String name) {
    return TABLE.matcher(name).matches()
        ? null
        : Convention.gated(Convention.replaced(name, NAMES));
  }
}
