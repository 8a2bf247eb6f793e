package org.ivit.core.pretrained.names;

import java.util.Set;

/**
 * Swin of timm and of its release: timm since 0.9 has a merging at the begin of a stage, the
 * release at the end of the one before; and the head of such a model in {@code head.fc}.
 */
final class SwinNames implements Convention {
  private final boolean late;

  private SwinNames(boolean late) {
    this.late = late;
  }

  /** Null where the names are of another source. */
  static SwinNames of(Set<String> names) {
    if (!names.contains("layers.0.blocks.0.norm1.weight")) {
      return null;
    }
    return new SwinNames(
        names.contains("layers.1.downsample.reduction.weight")
            && !names.contains("layers.0.downsample.reduction.weight"));
  }

  @Override
  public String timm(String name) {
    if (name.startsWith("head.fc.")) {
      return "head." + name.substring("head.fc.".length());
    }
    if (late && name.matches("layers\\.[1-9]\\.downsample\\..*")) {
      return "layers." + (name.charAt(7) - '1') + name.substring(8);
    }
    return name;
  }
}
