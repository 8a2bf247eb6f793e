package org.ivit.export.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.ivit.core.dataset.Dataset;
import org.ivit.export.features.Features;
import org.ivit.export.model.Model;

/**
 * The features that a model gives a set of pictures, in the order of the set.
 *
 * @param set the pictures that were answered: all, or those that could be decoded
 * @param features a row a picture
 * @param labels the class of each picture
 * @param names the name of each picture
 * @param skipped pictures that could not be decoded and were left out
 * @param seconds from the first picture asked for to the last answer, decoding included
 */
public record FeatureAnswers(
    Dataset set,
    Features features,
    int[] labels,
    List<String> names,
    List<PictureBatches.Skipped> skipped,
    double seconds) {
  /**
   * Runs a model over a set.
   *
   * @param model that answers with features
   * @param batches of the set
   * @param progress told how many pictures more are done
   * @throws org.ivit.core.InputException as {@link PictureBatches#run}
   */
  public static FeatureAnswers of(Model model, PictureBatches batches, IntConsumer progress) {
    List<Features> parts = new ArrayList<>();
    PictureBatches.Outcome outcome =
        batches.run(
            model.preprocess(),
            (pictures, indices) -> parts.add(model.features(pictures)),
            progress);
    Dataset set = outcome.set();
    return new FeatureAnswers(
        set,
        Features.join(parts),
        PictureBatches.labels(set),
        PictureBatches.names(set),
        outcome.skipped(),
        outcome.seconds());
  }
}
