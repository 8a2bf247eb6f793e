package org.ivit.core.model;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.ivit.core.InputException;
import org.ivit.core.checkpoint.IntegerCheckpoint;

/**
 * An integer model that answers pictures: an {@link ImageClassifier} with classes, an {@link
 * ImageEmbedder} with features.
 *
 * <p>Instances may be used by any number of threads at once: their calls share the engine's
 * threads. An answer depends on neither other calls nor the batch.
 */
public sealed interface ImageModel extends AutoCloseable permits ImageClassifier, ImageEmbedder {
  /**
   * Opens whichever kind lies in a file.
   *
   * @param file an integer checkpoint, {@code NAME.ivit.safetensors}
   * @throws InputException if it is none or is damaged, or if its engine does not run here
   */
  static ImageModel open(Path file, ModelOptions options) {
    return of(OpenedCheckpoint.read(file, options));
  }

  /**
   * Opens whichever kind a checkpoint is.
   *
   * @throws InputException if its engine does not run here
   */
  static ImageModel open(IntegerCheckpoint checkpoint, ModelOptions options) {
    return of(OpenedCheckpoint.of(checkpoint, options));
  }

  private static ImageModel of(OpenedCheckpoint opened) {
    return switch (opened.checkpoint().graph().architecture().answer()) {
      case CLASSES -> new ImageClassifier(opened);
      case FEATURES -> new ImageEmbedder(opened);
    };
  }

  /** What is known of the model and of what runs it. */
  ModelInfo info();

  /**
   * The integers that the model answers: logits, or codes of a feature.
   *
   * @param pictures any number; decoded and run {@link ModelOptions#batchSize} at once
   * @return for each picture [{@link ModelInfo#outputs}] on the scale {@link ModelInfo#outputScale}
   * @throws InputException for the first that is found not to be a usable picture
   * @throws IllegalStateException if the model is closed
   */
  List<int[]> answers(List<Picture> pictures);

  /**
   * The integers that the model answers to a picture, computed by a thread of the model.
   *
   * <p>Calls wait in a queue without a bound. A future that is done before its turn, such as by
   * {@code cancel} or {@code orTimeout}, is passed over.
   *
   * @return fails with an {@link InputException} for what is no usable picture
   * @throws IllegalStateException if the model is closed
   */
  CompletableFuture<int[]> answerAsync(Picture picture);

  /**
   * Waits for the calls that have begun and the futures that were given out, then frees what the
   * model holds, native memory too. Later calls throw {@link IllegalStateException}.
   */
  @Override
  void close();
}
