package org.ivit.core.model;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.checkpoint.IntegerCheckpoint;

/**
 * Names what pictures show.
 *
 * <pre>{@code
 * try (var model = ImageClassifier.open(Path.of("deit.ivit.safetensors"))) {
 *   System.out.println(model.classify(Path.of("cat.jpg")).best().name());
 * }
 * }</pre>
 */
public final class ImageClassifier implements ImageModel {
  private final PictureAnswers answers;
  private final ModelInfo info;

  ImageClassifier(OpenedCheckpoint opened) {
    this.answers = new PictureAnswers(opened.require(Answer.CLASSES, "ImageEmbedder"));
    this.info = answers.info();
  }

  /**
   * Opens a checkpoint with the fastest engine of the processor.
   *
   * @param file an integer checkpoint, {@code NAME.ivit.safetensors}
   * @throws InputException as {@link #open(Path, ModelOptions)}
   */
  public static ImageClassifier open(Path file) {
    return open(file, ModelOptions.standard());
  }

  /**
   * Opens a checkpoint.
   *
   * @param file an integer checkpoint, {@code NAME.ivit.safetensors}
   * @throws InputException if it is none, is damaged or answers with features, or if its engine
   *     does not run here
   */
  public static ImageClassifier open(Path file, ModelOptions options) {
    return new ImageClassifier(OpenedCheckpoint.read(file, options));
  }

  /**
   * Opens a checkpoint that was read already.
   *
   * @throws InputException if it answers with features, or if its engine does not run here
   */
  public static ImageClassifier open(IntegerCheckpoint checkpoint, ModelOptions options) {
    return new ImageClassifier(OpenedCheckpoint.of(checkpoint, options));
  }

  @Override
  public ModelInfo info() {
    return info;
  }

  /**
   * Classifies a picture file.
   *
   * @throws InputException if it is no usable picture
   * @throws IllegalStateException if the model is closed
   */
  public Classification classify(Path file) {
    return classify(Picture.of(file));
  }

  /**
   * Classifies a picture; all threads of the model work on it.
   *
   * @throws InputException if it is no usable picture
   * @throws IllegalStateException if the model is closed
   */
  public Classification classify(Picture picture) {
    return classify(List.of(picture)).get(0);
  }

  /**
   * Classifies pictures.
   *
   * @param pictures any number; decoded and run {@link ModelOptions#batchSize} at once
   * @return in their order
   * @throws InputException for the first that is found not to be a usable picture
   * @throws IllegalStateException if the model is closed
   */
  public List<Classification> classify(List<Picture> pictures) {
    return answers(pictures).stream().map(this::classification).toList();
  }

  /**
   * Classifies a picture in a thread of the model; see {@link #answerAsync} for what waits.
   *
   * @return fails with an {@link InputException} for what is no usable picture
   * @throws IllegalStateException if the model is closed
   */
  public CompletableFuture<Classification> classifyAsync(Picture picture) {
    return answers.async(picture, this::classification);
  }

  private Classification classification(int[] logits) {
    return new Classification(logits, info.outputScale(), info.classes());
  }

  @Override
  public List<int[]> answers(List<Picture> pictures) {
    return answers.of(pictures);
  }

  @Override
  public CompletableFuture<int[]> answerAsync(Picture picture) {
    return answers.async(picture, logits -> logits);
  }

  @Override
  public void close() {
    answers.close();
  }
}
