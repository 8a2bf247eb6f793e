package org.ivit.core.graph;

import java.util.List;
import java.util.SortedMap;
import org.ivit.core.architecture.Architecture;

/** A model in integers: everything an engine needs, and nothing that is not a constant. */
public sealed interface IntegerGraph permits VitGraph, SwinGraph {
  /** Returns the architecture. */
  Architecture architecture();

  /** Returns forms, widths and outlier channels. */
  Scheme scheme();

  /** Returns the scale of the input codes. */
  float inputScale();

  /** Returns the classifiers, on one scale; the logits are the sum of theirs. */
  List<Linear> heads();

  /** Returns the scale of the int32 logits. */
  float logitScale();

  /**
   * Returns the scale of every node that has one, by full node name, {@code pos_embed} and the
   * relative position tables included.
   */
  SortedMap<String, Float> scales();
}
