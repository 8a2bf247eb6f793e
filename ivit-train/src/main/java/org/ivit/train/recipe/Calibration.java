package org.ivit.train.recipe;

/**
 * The pictures that set the ranges before the first step.
 *
 * @param data where they come from; null: the training pictures. The evaluation transform applies
 * @param pictures how many, at least 1; all where there are fewer
 * @param momentPictures how many show, by the second moments of what goes into linear layers, how
 *     to round weights of fewer than 8 bits; at least 1
 * @param batchSize pictures in a batch; the moving observer counts batches
 * @param select which of them
 */
public record Calibration(
    Pictures data, int pictures, int momentPictures, int batchSize, Select select) {

  /** Which pictures of the sorted list are taken. */
  public enum Select {
    /** The first ones. */
    FIRST,
    /** Evenly spread over the list. */
    SPREAD,
    /** Drawn with the run's seed. */
    RANDOM
  }

  static Calibration read(Section section) {
    Calibration calibration =
        new Calibration(
            Pictures.read(section, "data", false),
            section.integer("pictures", 64, 1, Integer.MAX_VALUE),
            section.integer("momentPictures", 1024, 1, Integer.MAX_VALUE),
            section.integer("batchSize", 16, 1, Integer.MAX_VALUE),
            section.choice("select", Select.SPREAD, Select.class));
    section.end();
    return calibration;
  }
}
