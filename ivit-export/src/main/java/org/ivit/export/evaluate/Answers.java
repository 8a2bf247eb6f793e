package org.ivit.export.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Rgb;

/**
 * What a model answered on a set of pictures, in the order of the set.
 *
 * @param logits of each picture
 * @param labels the class of each picture
 * @param names the name of each picture
 * @param seconds from the first picture asked for to the last answer, decoding included
 */
public record Answers(Logits logits, int[] labels, List<String> names, double seconds) {
  /**
   * Runs a model over a set; pictures are decoded in the background.
   *
   * @param batch pictures the model is asked for at once, at least 1
   * @param threads that decode
   * @param progress told how many pictures more are done
   * @throws org.ivit.core.InputException naming a picture that cannot be decoded
   */
  public static Answers of(
      Model model, Dataset data, int batch, int threads, IntConsumer progress) {
    long start = System.nanoTime();
    List<Logits> parts = new ArrayList<>();
    EvaluationTransform transform = new EvaluationTransform(model.preprocess());
    try (PictureLoader<Rgb> loader =
        new PictureLoader<>(
            data,
            PictureLoader.inOrder(data),
            (picture, index) -> transform.apply(picture),
            OnCorrupt.FAIL,
            threads,
            Math.max(2 * batch, threads))) {
      List<Rgb> pictures = new ArrayList<>(batch);
      while (loader.hasNext()) {
        pictures.add(loader.next().value());
        if (pictures.size() == batch || !loader.hasNext()) {
          parts.add(model.logits(pictures));
          progress.accept(pictures.size());
          pictures.clear();
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return of(Logits.join(parts), data, seconds);
  }

  /**
   * Answers that were computed elsewhere.
   *
   * @param logits of every picture of the set, in its order
   * @param seconds that it took
   */
  public static Answers of(Logits logits, Dataset data, double seconds) {
    int size = data.size();
    int[] labels = new int[size];
    List<String> names = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      labels[i] = data.label(i);
      names.add(data.name(i));
    }
    return new Answers(logits, labels, names, seconds);
  }
}
