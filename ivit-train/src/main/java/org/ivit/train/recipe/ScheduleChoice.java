package org.ivit.train.recipe;

/**
 * The learning rate over a run: a linear warm-up, then half a cosine, by step.
 *
 * @param epochs passes over the training pictures; 0: calibrate only
 * @param warmupEpochs length of the warm-up
 * @param minimumRate where the cosine ends
 * @param warmupRate where the warm-up begins
 */
public record ScheduleChoice(
    int epochs, double warmupEpochs, double minimumRate, double warmupRate) {

  static ScheduleChoice read(Section section, boolean fromScratch, double learningRate) {
    int epochs = section.integer("epochs", -1, 0, 1_000_000);
    ScheduleChoice schedule =
        new ScheduleChoice(
            epochs,
            section.number("warmupEpochs", fromScratch ? Math.min(5, epochs / 10.0) : 0, 0, 1e6),
            section.number("minimumRate", Math.min(fromScratch ? 1e-5 : 1e-8, learningRate), 0, 10),
            section.number("warmupRate", Math.min(1e-6, learningRate), 0, 10));
    if (schedule.warmupEpochs() > epochs) {
      throw section.bad("warmupEpochs", "at most epochs (" + epochs + ")");
    }
    if (schedule.minimumRate() > learningRate) {
      throw section.bad("minimumRate", "at most optimizer.learningRate (" + learningRate + ")");
    }
    section.end();
    return schedule;
  }
}
