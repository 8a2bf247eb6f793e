package org.ivit.train.ptq.bits;

import org.ivit.core.graph.IntegerGraph;
import org.ivit.train.recipe.WeightRules;

/** How large the checkpoint file of a model becomes. */
@FunctionalInterface
public interface FileSize {
  /**
   * Bytes of the whole file.
   *
   * @param graph of the model
   * @param rules the bits of its weights, as the recipe that the file carries says them
   */
  long bytes(IntegerGraph graph, WeightRules rules);
}
