package org.ivit.djl;

import ai.djl.ndarray.NDList;
import ai.djl.translate.TranslatorContext;
import ai.djl.translate.TranslatorOptions;

/**
 * Gives the feature of a picture, or the logits of a model with classes, as float32 [{@code
 * Architecture.classes()}], by the transform that the checkpoint asks for.
 */
public final class IvitImageFeatureExtractor extends CheckpointTranslator<float[]> {
  @Override
  public float[] processOutput(TranslatorContext ctx, NDList list) {
    return list.singletonOrThrow().toFloatArray();
  }

  /** Returns translators of files, addresses and streams, and of DJL Serving's requests. */
  @Override
  public TranslatorOptions getExpansions() {
    return IvitTranslatorFactory.FEATURES.withTranslator(this);
  }
}
