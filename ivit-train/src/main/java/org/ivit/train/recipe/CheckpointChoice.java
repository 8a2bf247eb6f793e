package org.ivit.train.recipe;

/**
 * When training checkpoints are written.
 *
 * @param every steps between two; 0: only at the ends of epochs
 * @param keep how many of the last stay; the best one stays too
 */
public record CheckpointChoice(int every, int keep) {
  static CheckpointChoice read(Section section) {
    CheckpointChoice choice =
        new CheckpointChoice(
            section.integer("every", 0, 0, Integer.MAX_VALUE),
            section.integer("keep", 2, 1, Integer.MAX_VALUE));
    section.end();
    return choice;
  }
}
