package org.ivit.core.engine.jni;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How all threads compute a few pictures together: which way each step goes, and how its phases are
 * split. A thread that goes alone through rows asks for few barriers but reads all weights; one
 * that takes some columns of more rows reads few. Which of them is faster is told from {@link
 * Costs}.
 *
 * @param splits one after the other; each begins when the one before has ended
 * @param nanos how long it takes by the costs
 */
record Schedule(List<Split> splits, double nanos) {
  /**
   * What a way with more phases must win: threads that do not run alike, which costs leave out,
   * wait for each other at each end of a phase.
   */
  private static final double CLEARLY_LESS = 0.95;

  /** Rows are cut into no more parts a thread: more hardly even out what is left over. */
  private static final int PARTS_A_THREAD = 4;

  /**
   * The fastest by the costs.
   *
   * @param pictures at least 1
   * @param threads at least 1
   */
  static Schedule of(List<StepWork> steps, int pictures, int threads, Costs costs) {
    List<Split> splits = new ArrayList<>();
    double nanos = 0;
    Map<StepWork, Schedule> known = new HashMap<>();
    for (int i = 0; i < steps.size(); i++) {
      int number = i;
      Schedule step =
          known.computeIfAbsent(steps.get(i), work -> fastest(work, pictures, threads, costs));
      step.splits.forEach(
          s -> splits.add(new Split(number, s.work(), s.rowParts(), s.unitParts())));
      nanos += step.nanos;
    }
    return new Schedule(List.copyOf(splits), nanos);
  }

  private static Schedule fastest(StepWork step, int pictures, int threads, Costs costs) {
    Schedule best = null;
    for (List<PhaseWork> way : step.ways()) {
      List<Split> splits = new ArrayList<>();
      double nanos = 0;
      for (PhaseWork work : way) {
        Split split = fastest(work, pictures, threads, costs);
        splits.add(split);
        nanos += costs.of(split, pictures, threads);
      }
      if (best == null || nanos < CLEARLY_LESS * best.nanos) {
        best = new Schedule(splits, nanos);
      }
    }
    return best;
  }

  private static Split fastest(PhaseWork work, int pictures, int threads, Costs costs) {
    Split best = new Split(0, work, 1, 1);
    double least = costs.of(best, pictures, threads);
    int mostRows = Math.min(work.rows(), PARTS_A_THREAD * threads);
    for (int units = 1; units <= Math.min(work.units(), threads); units++) {
      for (int rows = 1; rows <= mostRows; rows++) {
        Split split = new Split(0, work, rows, units);
        double nanos = costs.of(split, pictures, threads);
        if (nanos < least) {
          best = split;
          least = nanos;
        }
      }
    }
    return best;
  }
}
