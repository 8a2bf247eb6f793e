package org.ivit.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Batchifier;
import ai.djl.translate.NoopTranslator;
import ai.djl.util.passthrough.PassthroughNDManager;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.ivit.core.InputException;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IvitBlockTest {
  /** Of the model's size, so that no transform changes it. */
  private static final Preprocess PREPROCESS = Preprocess.imagenet(8, 8);

  private static final int PICTURES = 3;

  @TempDir Path folder;

  private final IntegerCheckpoint checkpoint = SmallModels.classifier(PREPROCESS);
  private final byte[] pixels = new byte[PICTURES * 3 * 64];
  private final float[] normalised = new float[PICTURES * 3 * 64];
  private float[] expected;
  private Model model;
  private Predictor<NDList, NDList> predictor;
  private NDManager manager;

  @BeforeEach
  void load() throws Exception {
    Rgb[] pictures = new Rgb[PICTURES];
    Normalisation normalisation = new Normalisation(PREPROCESS);
    for (int n = 0; n < PICTURES; n++) {
      pictures[n] = SmallModels.noise(8, 8, n);
      System.arraycopy(pictures[n].data(), 0, pixels, n * 192, 192);
      normalisation.apply(pictures[n], normalised, n * 192);
    }
    expected = SmallModels.expected(checkpoint, pictures);
    model = SmallModels.load(SmallModels.write(folder, "net", checkpoint));
    predictor = model.newPredictor(new NoopTranslator((Batchifier) null));
    manager = model.getNDManager().newSubManager();
  }

  @AfterEach
  void close() {
    predictor.close();
    model.close();
  }

  @Test
  void answersNormalisedFloatsAsTheReference() throws Exception {
    NDArray answer =
        predictor
            .predict(new NDList(manager.create(normalised, new Shape(PICTURES, 3, 8, 8))))
            .singletonOrThrow();
    assertThat(answer.getShape()).isEqualTo(new Shape(PICTURES, 3));
    assertThat(answer.toFloatArray()).isEqualTo(expected);
  }

  @Test
  void answersPixelsAsTheReference() throws Exception {
    NDArray input =
        manager.create(ByteBuffer.wrap(pixels), new Shape(PICTURES, 8, 8, 3), DataType.UINT8);
    assertThat(predictor.predict(new NDList(input)).singletonOrThrow().toFloatArray())
        .isEqualTo(expected);
  }

  @Test
  void takesArraysOfOtherManagers() throws Exception {
    NDArray input =
        PassthroughNDManager.INSTANCE.create(
            FloatBuffer.wrap(normalised), new Shape(PICTURES, 3, 8, 8), DataType.FLOAT32);
    assertThat(predictor.predict(new NDList(input)).singletonOrThrow().toFloatArray())
        .isEqualTo(expected);
  }

  @Test
  void codesSaturate() throws Exception {
    float[] extreme = new float[192];
    Arrays.fill(extreme, 1e9f);
    float[] largest = new float[192];
    Arrays.fill(largest, 127 * checkpoint.graph().inputScale());
    assertThat(answer(extreme)).isEqualTo(answer(largest));
  }

  private float[] answer(float[] picture) throws Exception {
    return predictor
        .predict(new NDList(manager.create(picture, new Shape(1, 3, 8, 8))))
        .singletonOrThrow()
        .toFloatArray();
  }

  @Test
  void refusesOtherShapesAndTypes() {
    refused(
        manager.zeros(new Shape(1, 3, 9, 8)),
        "input: found float32 (1, 3, 9, 8), expected float32 (n, 3, 8, 8), normalised, or uint8"
            + " (n, 8, 8, 3); IvitTranslatorFactory makes them of any picture");
    refused(manager.zeros(new Shape(1, 8, 8, 3)), "input: found float32 (1, 8, 8, 3)");
    refused(manager.zeros(new Shape(3, 8, 8)), "input: found float32 (3, 8, 8)");
    refused(manager.zeros(new Shape(0, 3, 8, 8)), "input: found float32 (0, 3, 8, 8)");
    refused(
        manager.zeros(new Shape(1, 3, 8, 8), DataType.UINT8), "input: found uint8 (1, 3, 8, 8)");
    refused(
        manager.zeros(new Shape(1, 3, 8, 8), DataType.INT32), "input: found int32 (1, 3, 8, 8)");
  }

  @Test
  void refusesValuesThatAreNotFinite() {
    float[] picture = new float[192];
    picture[5] = Float.NaN;
    refused(manager.create(picture, new Shape(1, 3, 8, 8)), "input: ");
  }

  private void refused(NDArray input, String message) {
    assertThatThrownBy(() -> predictor.predict(new NDList(input)))
        .cause()
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void isNotTrained() {
    assertThat(model.getBlock().getParameters().isEmpty()).isTrue();
    assertThat(model.getBlock().getOutputShapes(new Shape[] {new Shape(2, 3, 8, 8)}))
        .containsExactly(new Shape(2, 3));
  }
}
