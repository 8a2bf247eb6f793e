package org.ivit.export.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.ivit.core.InputException;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.dataset.Subset;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Rgb;
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
    List<Skipped> skipped,
    double seconds) {
  /**
   * A picture that could not be decoded.
   *
   * @param name as the set calls it
   * @param reason one line
   */
  public record Skipped(String name, String reason) {}

  /**
   * Runs a model over a set; pictures are decoded in the background.
   *
   * @param onCorrupt what a picture that cannot be decoded does
   * @param batch pictures the model is asked for at once, at least 1
   * @param threads that decode
   * @param progress told how many pictures more are done
   * @throws InputException naming a picture that cannot be decoded, or where all were left out
   */
  public static Answers of(
      Model model,
      Dataset data,
      OnCorrupt onCorrupt,
      int batch,
      int threads,
      IntConsumer progress) {
    long start = System.nanoTime();
    List<Logits> parts = new ArrayList<>();
    boolean[] answered = new boolean[data.size()];
    List<Skipped> skipped = new ArrayList<>();
    EvaluationTransform transform = new EvaluationTransform(model.preprocess());
    try (PictureLoader<Rgb> loader =
        new PictureLoader<>(
            data,
            PictureLoader.inOrder(data),
            (picture, index) -> transform.apply(picture),
            onCorrupt,
            threads,
            Math.max(2 * batch, threads))) {
      List<Rgb> pictures = new ArrayList<>(batch);
      while (loader.hasNext()) {
        PictureLoader.Loaded<Rgb> next = loader.next();
        answered[next.index()] = true;
        pictures.add(next.value());
        if (pictures.size() == batch || !loader.hasNext()) {
          parts.add(model.logits(pictures));
          progress.accept(pictures.size());
          pictures.clear();
        }
      }
      for (int i = 0; i < answered.length; i++) {
        if (!answered[i]) {
          skipped.add(new Skipped(data.name(i), loader.skipped().get(skipped.size())));
        }
      }
    }
    progress.accept(skipped.size());
    if (parts.isEmpty()) {
      throw new InputException(
          "found no picture that can be decoded among %s, first: %s"
              .formatted(data.size(), skipped.get(0).reason()));
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Dataset set = skipped.isEmpty() ? data : Subset.where(data, i -> answered[i]);
    return of(Logits.join(parts), set, skipped, seconds);
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

  private static Answers of(Logits logits, Dataset data, List<Skipped> skipped, double seconds) {
    int size = data.size();
    int[] labels = new int[size];
    List<String> names = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      labels[i] = data.label(i);
      names.add(data.name(i));
    }
    return new Answers(data, logits, labels, names, List.copyOf(skipped), seconds);
  }
}
