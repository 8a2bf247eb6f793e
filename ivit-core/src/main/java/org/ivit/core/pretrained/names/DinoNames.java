package org.ivit.core.pretrained.names;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * The releases of DINOv2 and DINOv3: timm's names, but registers, the mask of its training, chunks
 * of blocks, SwiGLU, and periods of rotary positions.
 */
final class DinoNames implements Convention {
  /** What rotary positions of DINOv3 are computed from; it follows from sizes. */
  static final String PERIODS = "rope_embed.periods";

  private static final String MASK = "mask_token";

  /** Chunks count on, so the second number is the block's. */
  private static final Pattern CHUNKED = Pattern.compile("^blocks\\.\\d+\\.(\\d+\\.)");

  static boolean matches(Set<String> names) {
    return names.contains(MASK)
        && names.contains("patch_embed.proj.weight")
        && (names.contains("blocks.0.ls1.gamma") || names.contains("blocks.0.0.ls1.gamma"));
  }

  @Override
  public String timm(String name) {
    return switch (name) {
      case MASK, PERIODS -> null;
      case "register_tokens", "storage_tokens" -> "reg_token";
      default -> Convention.gated(CHUNKED.matcher(name).replaceFirst("blocks.$1"));
    };
  }

  @Override
  public boolean classPositionAmongPatches() {
    return true;
  }
}
