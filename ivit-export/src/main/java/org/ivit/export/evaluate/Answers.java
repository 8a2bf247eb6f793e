package org.ivit.export.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.export.model.Logits;
import org.ivit.export.model.Model;

/**
 * What a model answered on a set of pictures, in the order of the set.
 *
 * @param set the pictures that were answered: all, or those that could be decoded
 * @param logits of each picture
 * @param labels the class of each picture
 * @param names the name of each picture
 * @param skipped pictures that could not be decoded and were left out
 * @param seconds from the first picture asked for to the last answer, decoding included
 */
public record Answers(
    Dataset set,
    Logits logits,
    int[] labels,
    List<String> names,
    List<PictureBatches.Skipped> skipped,
    double seconds) {
  /**
   * Runs a model over a set; pictures are decoded in the background.
   *
   * @param onCorrupt what a picture that cannot be decoded does
   * @param batch pictures the model is asked for at once, at least 1
   * @param threads that decode
   * @param progress told how many pictures more are done
   * @throws org.ivit.core.InputException naming a picture that cannot be decoded, or where all were
   *     left out
   */
  public static Answers of(
      Model model,
      Dataset data,
      OnCorrupt onCorrupt,
      int batch,
      int threads,
      IntConsumer progress) {
    List<Logits> parts = new ArrayList<>();
    PictureBatches.Outcome outcome =
        new PictureBatches(data, onCorrupt, batch, threads)
            .run(
                model.preprocess(),
                (pictures, indices) -> parts.add(model.logits(pictures)),
                progress);
    return of(Logits.join(parts), outcome.set(), outcome.skipped(), outcome.seconds());
  }

  /**
   * Answers that were computed elsewhere.
   *
   * @param logits of every picture of the set, in its order
   * @param seconds that it took
   */
  public static Answers of(Logits logits, Dataset data, double seconds) {
    return of(logits, data, List.of(), seconds);
  }

  private static Answers of(
      Logits logits, Dataset data, List<PictureBatches.Skipped> skipped, double seconds) {
    return new Answers(
        data, logits, PictureBatches.labels(data), PictureBatches.names(data), skipped, seconds);
  }
}
