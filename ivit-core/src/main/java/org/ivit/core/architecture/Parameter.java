package org.ivit.core.architecture;

import java.util.List;

/**
 * A learned parameter.
 *
 * @param name timm name
 * @param role what it is
 * @param shape its sizes, the last index running fastest
 */
public record Parameter(String name, Role role, List<Long> shape) {
  /** What a parameter is. */
  public enum Role {
    /** A matrix of a linear layer, [outputs][inputs]. */
    WEIGHT,
    /** The patch embedding's matrix, [outputs][3][patch][patch]. */
    CONVOLUTION,
    /** An additive vector. */
    BIAS,
    /** A norm's γ. */
    NORM_WEIGHT,
    /** A norm's β. */
    NORM_BIAS,
    /** Positions of tokens, or of pairs of tokens. */
    POSITION,
    /** Leading tokens. */
    TOKEN
  }

  /** Sizes as an array. */
  public long[] shapeArray() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
