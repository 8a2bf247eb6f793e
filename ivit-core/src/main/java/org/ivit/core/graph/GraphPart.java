package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.architecture.Part;

/** A {@link Part} with its frozen constants. */
public sealed interface GraphPart
    permits IntegerStem,
        IntegerBlock,
        IntegerMerging,
        IntegerNorm,
        IntegerMeanPooling,
        IntegerAttentionPooling,
        IntegerHead {
  /** Sizes and options. */
  Part part();

  /** Its linear layers, in the order of {@link Part#linears}. */
  List<Linear> linears();

  /** Value of one step of the codes that it answers. */
  float outputScale();

  /**
   * Calls the visitor's case for this part.
   *
   * @return what it answers
   */
  <R> R accept(GraphVisitor<R> visitor);
}
