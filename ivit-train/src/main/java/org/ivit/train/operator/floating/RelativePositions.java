package org.ivit.train.operator.floating;

import java.util.Arrays;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Windows;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;

/** The relative position table of a block with windows, and what its windows mask. */
public final class RelativePositions {
  private final int heads;
  private final int rows;
  private final int tableFrom;
  private final int[] index;
  private final boolean[][] masks;

  public RelativePositions(ParameterLayout layout, Block site) {
    Windows windows = site.windows();
    heads = site.heads();
    rows = windows.relativePositions();
    tableFrom = layout.from(site.positionTable().substring(site.prefix().length()));
    index = windows.relativeIndex();
    masks = new boolean[windows.count()][];
    Arrays.setAll(masks, windows::mask);
  }

  /** Row of the table by query and key. */
  public int[] index() {
    return index;
  }

  /** The mask of a window of a picture; null where nothing is masked. */
  public boolean[] mask(int group) {
    return masks[group % masks.length];
  }

  /** Adds a head's biases to scores, [query][key], and takes masked ones out of the softmax. */
  void addTo(Reals weights, Reals scores, int from, int group, int head, Buffers buffers) {
    double[] table = buffers.doubles("positions.table", rows * heads);
    double[] all = buffers.doubles("positions.scores", index.length);
    weights.get(tableFrom, table, 0, rows * heads);
    scores.get(from, all, 0, index.length);
    boolean[] mask = mask(group);
    for (int i = 0; i < index.length; i++) {
      all[i] =
          mask != null && mask[i]
              ? Double.NEGATIVE_INFINITY
              : all[i] + table[index[i] * heads + head];
    }
    scores.put(from, all, 0, index.length);
  }

  /** Clears the sum of gradients of a chunk. */
  public void begin(Buffers buffers) {
    Arrays.fill(buffers.doubles("positions.gradient", rows * heads), 0);
  }

  /** Adds a head's gradients by its biased scores, [query][key]. */
  void collect(Reals g, int head, Buffers buffers) {
    double[] sum = buffers.doubles("positions.gradient", rows * heads);
    double[] all = buffers.doubles("positions.scores", index.length);
    g.get(0, all, 0, index.length);
    for (int i = 0; i < index.length; i++) {
      sum[index[i] * heads + head] += all[i];
    }
  }

  /** Adds the sum to the table's gradient. */
  public void finish(Reals gradients, Buffers buffers) {
    FloatKernels.add(
        buffers.doubles("positions.gradient", rows * heads),
        rows * heads,
        gradients,
        tableFrom,
        buffers.doubles("positions.table", rows * heads));
  }
}
