package org.ivit.core.testing;

import java.util.List;
import java.util.Random;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Windows;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;

/**
 * A model that no family makes, but a description may: the only window of its grid is shifted, so
 * its tokens are out of order, and of them the first is read.
 */
public final class ShiftedWindow {
  private static final int DIM = 6;
  private static final int TOKENS = 12;

  private ShiftedWindow() {}

  /** The model, of generated weights. */
  public static IntegerGraph graph() {
    Windows windows = new Windows(new Size(3, 4), new Size(3, 4), new Size(1, 2));
    Architecture architecture =
        new Architecture(
            "swin",
            "shifted",
            List.of(
                new Stem(new Size(6, 8), 2, DIM, List.of(), true, null, 1e-5),
                new Block("layers.0.blocks.0", DIM, 2, 8, TOKENS, windows, 1e-5),
                new Norm("norm", 1, DIM, 1e-5),
                Head.ofFirstToken(1, DIM)));
    return ObservedModel.provedGraph(architecture, Scheme.EXACT, new Random(1));
  }
}
