package org.ivit.core.engine.jni;

/**
 * What a phase does for one picture. Its rows can be computed apart from each other, and each in
 * parts of its units, which are heads or panels of columns.
 *
 * @param rows at least 1
 * @param units at least 1
 * @param group neighbouring rows whose keys and values are packed together
 * @param products multiply-adds of a row in a unit
 * @param outputs codes that come from them
 * @param weights bytes of weights that a unit reads for any number of rows
 * @param normed channels normed for a row, in every part of its units again
 * @param packed codes packed in a unit for a group, in every part of its rows again
 */
record PhaseWork(
    Phase phase,
    int rows,
    int units,
    int group,
    long products,
    long outputs,
    long weights,
    long normed,
    long packed) {
  /** Columns of a panel: {@code IVIT_COLUMNS}. */
  static final int PANEL = 32;

  /** Panels of a product of some columns by rows of some inputs. */
  static PhaseWork panels(Phase phase, int rows, long inputs, long columns, long normed) {
    int panels = Math.toIntExact((columns + PANEL - 1) / PANEL);
    return new PhaseWork(
        phase, rows, panels, rows, PANEL * inputs, PANEL, PANEL * inputs, normed, 0);
  }

  /** So many such products, whose accumulators pass so many steps like a requantization. */
  PhaseWork times(int count, int steps) {
    return new PhaseWork(
        phase,
        rows,
        units,
        group,
        count * products,
        steps * outputs,
        count * weights,
        normed,
        packed);
  }

  /** All units of it and of another phase as one unit, by rows. */
  PhaseWork with(Phase name, PhaseWork other) {
    return new PhaseWork(
        name,
        rows,
        1,
        Math.min(group, other.group),
        units * products + other.units * other.products,
        units * outputs + other.units * other.outputs,
        units * weights + other.units * other.weights,
        normed + other.normed,
        units * packed + other.units * other.packed);
  }
}
