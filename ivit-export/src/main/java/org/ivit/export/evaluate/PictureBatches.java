package org.ivit.export.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.dataset.Subset;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;

/**
 * The pictures of a set in its order, decoded in the background and handed out in batches; no more
 * are in memory than a few batches.
 *
 * @param data the set
 * @param onCorrupt what a picture that cannot be decoded does
 * @param batch pictures that are handed out at once, at least 1
 * @param threads that decode
 */
public record PictureBatches(Dataset data, OnCorrupt onCorrupt, int batch, int threads) {
  /** Takes a batch. */
  @FunctionalInterface
  public interface Taker {
    /**
     * Takes pictures.
     *
     * @param pictures prepared for a model; the list is used again
     * @param indices of each in the set
     */
    void take(List<Rgb> pictures, List<Integer> indices);
  }

  /**
   * A picture that could not be decoded.
   *
   * @param name as the set calls it
   * @param reason one line
   */
  public record Skipped(String name, String reason) {}

  /**
   * What became of a set.
   *
   * @param set the pictures that were handed out
   * @param skipped pictures that could not be decoded
   * @param seconds from the first picture asked for to the end
   */
  public record Outcome(Dataset set, List<Skipped> skipped, double seconds) {
    /** Copies. */
    public Outcome {
      skipped = List.copyOf(skipped);
    }
  }

  /**
   * Hands out all pictures.
   *
   * @param preprocess of the model that wants them
   * @param progress told how many pictures more are done
   * @throws InputException naming a picture that cannot be decoded, or where all were left out
   */
  public Outcome run(Preprocess preprocess, Taker taker, IntConsumer progress) {
    long start = System.nanoTime();
    boolean[] answered = new boolean[data.size()];
    List<Skipped> skipped = new ArrayList<>();
    EvaluationTransform transform = new EvaluationTransform(preprocess);
    try (PictureLoader<Rgb> loader =
        new PictureLoader<>(
            data,
            PictureLoader.inOrder(data),
            (picture, index) -> transform.apply(picture),
            onCorrupt,
            threads,
            Math.max(2 * batch, threads))) {
      List<Rgb> pictures = new ArrayList<>(batch);
      List<Integer> indices = new ArrayList<>(batch);
      while (loader.hasNext()) {
        PictureLoader.Loaded<Rgb> next = loader.next();
        answered[next.index()] = true;
        pictures.add(next.value());
        indices.add(next.index());
        if (pictures.size() == batch || !loader.hasNext()) {
          taker.take(pictures, indices);
          progress.accept(pictures.size());
          pictures.clear();
          indices.clear();
        }
      }
      for (int i = 0; i < answered.length; i++) {
        if (!answered[i]) {
          skipped.add(new Skipped(data.name(i), loader.skipped().get(skipped.size())));
        }
      }
    }
    progress.accept(skipped.size());
    if (skipped.size() == data.size()) {
      throw new InputException(
          "found no picture that can be decoded among %s, first: %s"
              .formatted(data.size(), skipped.get(0).reason()));
    }
    Dataset set = skipped.isEmpty() ? data : Subset.where(data, i -> answered[i]);
    return new Outcome(set, skipped, (System.nanoTime() - start) / 1e9);
  }

  /** The classes of all pictures of a set. */
  static int[] labels(Dataset data) {
    return IntStream.range(0, data.size()).map(data::label).toArray();
  }

  /** The names of all pictures of a set. */
  static List<String> names(Dataset data) {
    return IntStream.range(0, data.size()).mapToObj(data::name).toList();
  }
}
