package org.ivit.export.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Rgb;
import org.ivit.export.model.Logits;
import org.ivit.export.model.Model;

/** Runs a model over runs of pictures. Not safe for two threads. */
public final class EvaluationWorker implements AutoCloseable {
  private final EvaluationJob job;
  private final int threads;
  private final Model model;
  private final Dataset data;

  /**
   * Opens model and pictures.
   *
   * @param own threads that run the model and decode, where the job says no number
   * @throws InputException if a file is not here, or is another one
   */
  public EvaluationWorker(EvaluationJob job, int own) {
    this.job = job;
    this.threads = job.config().threads() > 0 ? job.config().threads() : own;
    this.model = job.openModel(threads);
    try {
      requireSame(job.model(), job.sha256(), model.identity().sha256());
      this.data = job.openData(model);
      requireSame(job.data(), job.digest(), Datasets.digest(data));
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  private static void requireSame(String path, String expected, String found) {
    if (!expected.equals(found)) {
      throw new InputException(
          path + ": a worker sees other files than the driver, expected the same on all machines");
    }
  }

  /**
   * The logits of pictures {@code from} to {@code to} − 1.
   *
   * @throws InputException naming a picture that cannot be decoded
   */
  public Logits logits(int from, int to) {
    EvaluationTransform transform = new EvaluationTransform(model.preprocess());
    List<Logits> parts = new ArrayList<>();
    try (PictureLoader<Rgb> loader =
        new PictureLoader<>(
            data,
            IntStream.range(from, to).toArray(),
            (picture, index) -> transform.apply(picture),
            OnCorrupt.FAIL,
            threads,
            Math.max(2 * job.batch(), threads))) {
      List<Rgb> pictures = new ArrayList<>(job.batch());
      while (loader.hasNext()) {
        pictures.add(loader.next().value());
        if (pictures.size() == job.batch() || !loader.hasNext()) {
          parts.add(model.logits(pictures));
          pictures.clear();
        }
      }
    }
    return Logits.join(parts);
  }

  @Override
  public void close() {
    data.close();
    model.close();
  }
}
