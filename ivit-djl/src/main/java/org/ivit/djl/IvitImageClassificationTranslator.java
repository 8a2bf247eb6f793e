package org.ivit.djl;

import ai.djl.modality.Classifications;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.translate.TranslatorContext;
import ai.djl.translate.TranslatorOptions;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;

/**
 * Classifies pictures as the checkpoint says: its transform, its class names, probabilities by
 * softmax.
 */
public final class IvitImageClassificationTranslator extends CheckpointTranslator<Classifications> {
  /** As many as DJL's own translator prints. */
  static final int TOP_K = 5;

  private final int topK;

  /** The five likeliest are what {@link Classifications#topK()} has. */
  public IvitImageClassificationTranslator() {
    this(TOP_K);
  }

  /**
   * @param topK how many {@link Classifications#topK()} has, at least 1
   */
  public IvitImageClassificationTranslator(int topK) {
    if (topK < 1) {
      throw new InputException("topK: found %d, expected at least 1".formatted(topK));
    }
    this.topK = topK;
  }

  /**
   * {@inheritDoc}
   *
   * @throws InputException if the model is not one of this engine's, or answers with features
   */
  @Override
  public void prepare(TranslatorContext ctx) {
    requireClasses(IvitBlock.of(ctx.getModel()), ctx.getModel().getName());
  }

  /** Refuses a model of features. */
  static void requireClasses(IvitBlock block, String model) {
    if (block.answer() == Answer.FEATURES) {
      throw new InputException(
          "model %s: answers with features, expected classes; ask for float[]".formatted(model));
    }
  }

  @Override
  public Classifications processOutput(TranslatorContext ctx, NDList list) {
    NDArray probabilities = list.singletonOrThrow().softmax(0);
    return new Classifications(IvitBlock.of(ctx.getModel()).classNames(), probabilities, topK);
  }

  /** Returns translators of files, addresses and streams, and of DJL Serving's requests. */
  @Override
  public TranslatorOptions getExpansions() {
    return IvitTranslatorFactory.CLASSES.withTranslator(this);
  }
}
