package org.ivit.djl.ndarray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.util.NDImageUtils;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.TensorFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Resizing beside DJL's PyTorch engine. {@code resize.safetensors} has a picture of noise, 9×13,
 * and for each interpolation and size what {@code NDImageUtils.resize} of DJL 0.36.0 with PyTorch
 * 2.7.1 on a CPU made of it as float32.
 */
class ResizeTest {
  private static final TensorFile GOLDEN =
      Safetensors.read(Path.of("src", "test", "resources", "resize.safetensors"));
  private static final int[][] SIZES = {{7, 5}, {20, 17}, {13, 9}, {26, 4}, {1, 1}};

  private final NDManager manager = NDManager.newBaseManager("IVIT");
  private final float[] picture = GOLDEN.get("picture").floats();

  @AfterEach
  void close() {
    manager.close();
  }

  private NDArray floats() {
    return manager.create(picture, new Shape(9, 13, 3));
  }

  private NDArray pixels() {
    byte[] bytes = new byte[picture.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) picture[i];
    }
    return manager.create(ByteBuffer.wrap(bytes), new Shape(9, 13, 3), DataType.UINT8);
  }

  private static float[] golden(Image.Interpolation interpolation, int width, int height) {
    String name = interpolation.name().toLowerCase(Locale.ROOT);
    return GOLDEN.get("%s_%dx%d".formatted(name, width, height)).floats();
  }

  @ParameterizedTest
  @EnumSource(Image.Interpolation.class)
  void pixelsAreThoseOfPyTorchRoundedTowardsZero(Image.Interpolation interpolation) {
    for (int[] size : SIZES) {
      NDArray resized = NDImageUtils.resize(pixels(), size[0], size[1], interpolation);
      assertThat(resized.getShape()).isEqualTo(new Shape(size[1], size[0], 3));
      float[] expected = golden(interpolation, size[0], size[1]);
      int[] found = resized.toUint8Array();
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i]).isEqualTo((int) Math.max(0, Math.min(255, expected[i])));
      }
    }
  }

  /** PyTorch multiplies and adds at once where the processor can: the last bits are its own. */
  @ParameterizedTest
  @EnumSource(Image.Interpolation.class)
  void floatsAreThoseOfPyTorchToRounding(Image.Interpolation interpolation) {
    for (int[] size : SIZES) {
      float[] expected = golden(interpolation, size[0], size[1]);
      float[] found = NDImageUtils.resize(floats(), size[0], size[1], interpolation).toFloatArray();
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i]).isCloseTo(expected[i], within(0x1p-12f));
      }
    }
  }

  @Test
  void batchesAreResizedPictureByPicture() {
    NDArray one = pixels();
    NDArray batch = one.getNDArrayInternal().stack(new NDList(one), 0);
    NDArray resized = NDImageUtils.resize(batch, 7, 5, Image.Interpolation.BICUBIC);
    assertThat(resized.getShape()).isEqualTo(new Shape(2, 5, 7, 3));
    byte[] bytes = resized.toByteArray();
    int half = bytes.length / 2;
    assertThat(Arrays.copyOf(bytes, half))
        .isEqualTo(Arrays.copyOfRange(bytes, half, bytes.length))
        .isEqualTo(NDImageUtils.resize(one, 7, 5, Image.Interpolation.BICUBIC).toByteArray());
  }

  @Test
  void refusesSizesThatAreNone() {
    assertThatThrownBy(() -> NDImageUtils.resize(pixels(), 0, 5))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> NDImageUtils.resize(manager.zeros(new Shape(0, 4, 3)), 5, 5))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
