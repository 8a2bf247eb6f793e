package org.ivit.train.recipe;

/**
 * The learning rate over a run: a linear warm-up, then half a cosine, by step.
 *
 * @param epochs passes over the training pictures until the cosine ends; 0: calibrate only
 * @param warmupEpochs length of the warm-up; from scratch at most a tenth of the epochs by default
 * @param minimumRate where the cosine ends
 * @param warmupRate where the warm-up begins
 * @param cooldownEpochs passes at the minimum rate after the cosine's end, as timm's
 */
public record ScheduleChoice(
    int epochs, double warmupEpochs, double minimumRate, double warmupRate, int cooldownEpochs) {

  /** All passes over the training pictures, the cool-down among them. */
  public int allEpochs() {
    return epochs + cooldownEpochs;
  }

  static ScheduleChoice read(Section section, boolean fromScratch, double learningRate) {
    int epochs = section.integer("epochs", -1, 0, 1_000_000);
    ScheduleChoice schedule =
        new ScheduleChoice(
            epochs,
            section.number("warmupEpochs", fromScratch ? Math.min(5, epochs / 10.0) : 0, 0, 1e6),
            section.number("minimumRate", Math.min(fromScratch ? 1e-5 : 1e-8, learningRate), 0, 10),
            section.number("warmupRate", Math.min(1e-6, learningRate), 0, 10),
            section.integer("cooldownEpochs", 0, 0, 1_000_000));
    if (epochs == 0 && schedule.cooldownEpochs() > 0) {
      throw section.bad("cooldownEpochs", "0 beside epochs: 0");
    }
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
