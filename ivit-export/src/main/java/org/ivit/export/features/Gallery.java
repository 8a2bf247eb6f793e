package org.ivit.export.features;

import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.ivit.core.parallel.WorkerPool;

/**
 * Finds the rows of a gallery with the largest cosines. Rows whose cosines are equal as float64
 * numbers come in the order of the gallery, so the answer does not depend on threads.
 */
public final class Gallery {
  private final Cosines rows;

  /**
   * @param rows at least one
   */
  public Gallery(Features rows) {
    this.rows = new Cosines(rows);
  }

  /** How many rows there are. */
  public int size() {
    return rows.rows().count();
  }

  /**
   * The nearest rows to each row of others.
   *
   * @param others as wide as the gallery
   * @param most how many, at least 1; fewer where there are not so many
   * @param own for each of the others the row of the gallery that is the same picture, and so is no
   *     neighbour of it; −1 for none
   * @return for each of them its neighbours, the nearest first
   */
  public List<List<Neighbour>> nearest(
      Features others, int most, IntUnaryOperator own, WorkerPool pool) {
    Cosines asked = new Cosines(others);
    Neighbour[][] found = new Neighbour[others.count()][];
    pool.run(others.count(), i -> found[i] = nearest(asked, i, most, own.applyAsInt(i)));
    return IntStream.range(0, found.length).mapToObj(i -> List.of(found[i])).toList();
  }

  /** The nearest rows to one, by insertion: those with equal cosines stay in order. */
  private Neighbour[] nearest(Cosines asked, int row, int most, int without) {
    int[] nearest = new int[Math.min(most, size() - (without < 0 ? 0 : 1))];
    double[] cosines = new double[nearest.length];
    int filled = 0;
    for (int g = 0; g < size(); g++) {
      if (g == without) {
        continue;
      }
      double cosine = asked.of(row, rows, g);
      if (filled == nearest.length && (filled == 0 || cosine <= cosines[filled - 1])) {
        continue;
      }
      int at = filled < nearest.length ? filled++ : filled - 1;
      for (; at > 0 && cosine > cosines[at - 1]; at--) {
        nearest[at] = nearest[at - 1];
        cosines[at] = cosines[at - 1];
      }
      nearest[at] = g;
      cosines[at] = cosine;
    }
    return IntStream.range(0, filled)
        .mapToObj(i -> new Neighbour(nearest[i], cosines[i]))
        .toArray(Neighbour[]::new);
  }
}
