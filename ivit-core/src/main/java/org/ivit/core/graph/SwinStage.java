package org.ivit.core.graph;

import java.util.List;

/**
 * A run of blocks of one width.
 *
 * @param blocks in order
 * @param merging what follows them; null after the last stage
 */
public record SwinStage(List<IntegerBlock> blocks, IntegerMerging merging) {
  /** Copies the list. */
  public SwinStage {
    blocks = List.copyOf(blocks);
  }
}
