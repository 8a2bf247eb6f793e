package org.ivit.core.pretrained.names;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * DINOv2's release: timm's names, but registers, the mask of its training, and chunks of blocks.
 */
final class DinoNames implements Convention {
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
      case MASK -> null;
      case "register_tokens" -> "reg_token";
      default -> CHUNKED.matcher(name).replaceFirst("blocks.$1");
    };
  }

  @Override
  public boolean classPositionAmongPatches() {
    return true;
  }
}
