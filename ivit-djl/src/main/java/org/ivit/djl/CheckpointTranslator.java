package org.ivit.djl;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import java.nio.ByteBuffer;
import org.ivit.core.InputException;
import org.ivit.core.image.Rgb;

/**
 * Brings DJL's pictures to the model by the transform that its checkpoint asks for, as {@code ivit
 * evaluate} does: what differs at most is how DJL decodes a file. Keeps nothing of a model, so any
 * number of predictors may share one.
 *
 * @param <T> what an answer becomes
 */
abstract class CheckpointTranslator<T> implements Translator<Image, T> {
  /**
   * {@inheritDoc}
   *
   * @throws InputException if the model is not one of this engine's
   */
  @Override
  public void prepare(TranslatorContext ctx) {
    IvitBlock.of(ctx.getModel());
  }

  /** Returns the picture as uint8 [height][width][3] of the model's size. */
  @Override
  public NDList processInput(TranslatorContext ctx, Image input) {
    NDManager manager = ctx.getNDManager();
    Rgb picture;
    try (NDArray pixels = input.toNDArray(manager, Image.Flag.COLOR)) {
      picture = new Rgb(input.getWidth(), input.getHeight(), pixels.toByteArray());
    }
    picture = IvitBlock.of(ctx.getModel()).transform().apply(picture);
    Shape shape = new Shape(picture.height(), picture.width(), 3);
    return new NDList(manager.create(ByteBuffer.wrap(picture.data()), shape, DataType.UINT8));
  }
}
