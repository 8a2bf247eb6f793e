package org.ivit.core.model;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.checkpoint.IntegerCheckpoint;

/** Makes features of pictures: vectors that are alike where the pictures are. */
public final class ImageEmbedder implements ImageModel {
  private final PictureAnswers answers;
  private final ModelInfo info;

  ImageEmbedder(OpenedCheckpoint opened) {
    this.answers = new PictureAnswers(opened.require(Answer.FEATURES, "ImageClassifier"));
    this.info = answers.info();
  }

  /**
   * Opens a checkpoint with the fastest engine of the processor.
   *
   * @param file an integer checkpoint, {@code NAME.ivit.safetensors}
   * @throws InputException as {@link #open(Path, ModelOptions)}
   */
  public static ImageEmbedder open(Path file) {
    return open(file, ModelOptions.standard());
  }

  /**
   * Opens a checkpoint.
   *
   * @param file an integer checkpoint, {@code NAME.ivit.safetensors}
   * @throws InputException if it is none, is damaged or answers with classes, or if its engine does
   *     not run here
   */
  public static ImageEmbedder open(Path file, ModelOptions options) {
    return new ImageEmbedder(OpenedCheckpoint.read(file, options));
  }

  /**
   * Opens a checkpoint that was read already.
   *
   * @throws InputException if it answers with classes, or if its engine does not run here
   */
  public static ImageEmbedder open(IntegerCheckpoint checkpoint, ModelOptions options) {
    return new ImageEmbedder(OpenedCheckpoint.of(checkpoint, options));
  }

  @Override
  public ModelInfo info() {
    return info;
  }

  /**
   * The feature of a picture file.
   *
   * @throws InputException if it is no usable picture
   * @throws IllegalStateException if the model is closed
   */
  public Embedding embed(Path file) {
    return embed(Picture.of(file));
  }

  /**
   * The feature of a picture; all threads of the model work on it.
   *
   * @throws InputException if it is no usable picture
   * @throws IllegalStateException if the model is closed
   */
  public Embedding embed(Picture picture) {
    return embed(List.of(picture)).get(0);
  }

  /**
   * The features of pictures.
   *
   * @param pictures any number; decoded and run {@link ModelOptions#batchSize} at once
   * @return in their order
   * @throws InputException for the first that is found not to be a usable picture
   * @throws IllegalStateException if the model is closed
   */
  public List<Embedding> embed(List<Picture> pictures) {
    return answers(pictures).stream().map(this::embedding).toList();
  }

  /**
   * The feature of a picture, by a thread of the model; see {@link #answerAsync} for what waits.
   *
   * @return fails with an {@link InputException} for what is no usable picture
   * @throws IllegalStateException if the model is closed
   */
  public CompletableFuture<Embedding> embedAsync(Picture picture) {
    return answers.async(picture, this::embedding);
  }

  private Embedding embedding(int[] codes) {
    return new Embedding(codes, info.outputScale());
  }

  @Override
  public List<int[]> answers(List<Picture> pictures) {
    return answers.of(pictures);
  }

  @Override
  public CompletableFuture<int[]> answerAsync(Picture picture) {
    return answers.async(picture, codes -> codes);
  }

  @Override
  public void close() {
    answers.close();
  }
}
