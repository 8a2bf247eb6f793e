package org.ivit.djl.ndarray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.modality.cv.transform.CenterCrop;
import ai.djl.modality.cv.transform.CenterFit;
import ai.djl.modality.cv.transform.Pad;
import ai.djl.modality.cv.util.NDImageUtils;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.Batchifier;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Rgb;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IvitNDArrayTest {
  private final NDManager manager = NDManager.newBaseManager("IVIT");

  @AfterEach
  void close() {
    manager.close();
  }

  /** 0, 1, 2 … as float32. */
  private NDArray count(long... shape) {
    float[] values = new float[(int) new Shape(shape).size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return manager.create(values, new Shape(shape));
  }

  /** 0, 1, 2 … as uint8. */
  private NDArray bytes(long... shape) {
    byte[] values = new byte[(int) new Shape(shape).size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (byte) i;
    }
    return manager.create(ByteBuffer.wrap(values), new Shape(shape), DataType.UINT8);
  }

  private static void holds(NDArray array, Shape shape, float... values) {
    assertThat(array.getShape()).isEqualTo(shape);
    assertThat(array.toFloatArray()).isEqualTo(values);
  }

  @Test
  void elementsAreCopiedAndNotWritten() {
    float[] values = {1, 2};
    NDArray array = manager.create(values);
    values[0] = 9;
    holds(array, new Shape(2), 1, 2);
    assertThat(array.toByteBuffer().isReadOnly()).isTrue();
    assertThat(manager.create(IntBuffer.wrap(new int[] {3}), new Shape(1)).toIntArray())
        .containsExactly(3);
  }

  @Test
  void shapesChangeWithoutTheElements() {
    NDArray array = count(2, 3);
    holds(array.reshape(3, -1), new Shape(3, 2), 0, 1, 2, 3, 4, 5);
    holds(array.flatten(), new Shape(6), 0, 1, 2, 3, 4, 5);
    holds(array.expandDims(0), new Shape(1, 2, 3), 0, 1, 2, 3, 4, 5);
    holds(array.expandDims(-1), new Shape(2, 3, 1), 0, 1, 2, 3, 4, 5);
    holds(array.expandDims(1).squeeze(1), new Shape(2, 3), 0, 1, 2, 3, 4, 5);
    holds(array.expandDims(2).squeeze(), new Shape(2, 3), 0, 1, 2, 3, 4, 5);
    assertThatThrownBy(() -> array.reshape(4, 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> array.squeeze(0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void axesAreExchanged() {
    holds(count(2, 3).transpose(), new Shape(3, 2), 0, 3, 1, 4, 2, 5);
    holds(count(1, 2, 2).transpose(2, 0, 1), new Shape(2, 1, 2), 0, 2, 1, 3);
    assertThatThrownBy(() -> count(2, 3).transpose(0, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void slicesEndWithTheArray() {
    NDArray array = count(3, 4);
    holds(array.get("1:,2:9"), new Shape(2, 2), 6, 7, 10, 11);
    holds(array.get("::2,1"), new Shape(2), 1, 9);
    holds(array.get(2), new Shape(4), 8, 9, 10, 11);
    assertThat(array.getFloat(1, 3)).isEqualTo(7);
    assertThatThrownBy(() -> array.get(new NDIndex("{}", manager.create(new int[] {1}))))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageStartingWith("get");
  }

  @Test
  void arraysAreSplit() {
    NDList rows = count(3, 2).split(3);
    assertThat(rows).hasSize(3);
    holds(rows.get(1), new Shape(1, 2), 2, 3);
    NDList columns = count(2, 3).split(new long[] {1}, 1);
    holds(columns.get(0), new Shape(2, 1), 0, 3);
    holds(columns.get(1), new Shape(2, 2), 1, 2, 4, 5);
    assertThatThrownBy(() -> count(3, 2).split(2)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void arraysAreJoined() {
    holds(NDArrays.stack(new NDList(count(2), count(2).add(4))), new Shape(2, 2), 0, 1, 4, 5);
    holds(NDArrays.stack(new NDList(count(2), count(2).add(4)), 1), new Shape(2, 2), 0, 4, 1, 5);
    holds(
        NDArrays.concat(new NDList(count(2, 1), count(2, 2)), 1),
        new Shape(2, 3),
        0,
        0,
        1,
        1,
        2,
        3);
    assertThatThrownBy(() -> NDArrays.stack(new NDList(count(2), count(3))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> NDArrays.concat(new NDList(count(2), bytes(2))))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void batchesAreStackedAndTakenApart() {
    NDList batch =
        Batchifier.STACK.batchify(new NDList[] {new NDList(count(2)), new NDList(count(2).mul(3))});
    holds(batch.singletonOrThrow(), new Shape(2, 2), 0, 1, 0, 3);
    NDList[] parts = Batchifier.STACK.unbatchify(batch);
    assertThat(parts).hasSize(2);
    holds(parts[1].singletonOrThrow(), new Shape(2), 0, 3);
    assertThat(Batchifier.STACK.split(batch, 2, true)).hasSize(2);
    assertThat(Batchifier.fromString("padding").batchify(new NDList[] {new NDList(count(2))}))
        .hasSize(1);
  }

  @Test
  void arithmeticIsThatOfFloat32() {
    holds(bytes(3).div(255.0), new Shape(3), 0, 1 / 255f, 2 / 255f);
    holds(count(3).div(128f).sub(1), new Shape(3), -1, 1 / 128f - 1, 2 / 128f - 1);
    holds(count(2).add(0.1).mul(3), new Shape(2), 0.1f * 3, 1.1f * 3);
  }

  @Test
  void picturesBecomeTensorsAsTheEngineNormalisesThem() {
    Rgb picture = new Rgb(16, 16, bytes(16, 16, 3).toByteArray());
    float[] mean = {0.485f, 0.456f, 0.406f};
    float[] std = {0.229f, 0.224f, 0.225f};
    NDArray tensor = NDImageUtils.toTensor(bytes(16, 16, 3));
    assertThat(tensor.getShape()).isEqualTo(new Shape(3, 16, 16));
    assertThat(NDImageUtils.normalize(tensor, mean, std).toFloatArray())
        .isEqualTo(new Normalisation(mean, std).apply(picture));
    NDArray batch = bytes(16, 16, 3).expandDims(0);
    assertThat(NDImageUtils.normalize(NDImageUtils.toTensor(batch), mean, std).toFloatArray())
        .isEqualTo(new Normalisation(mean, std).apply(picture));
    assertThatThrownBy(() -> NDImageUtils.normalize(count(1, 4, 4), mean, std))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void picturesAreCutAndPadded() {
    NDArray picture = bytes(3, 4, 1);
    assertThat(NDImageUtils.crop(picture, 1, 1, 2, 9).toUint8Array()).containsExactly(5, 6, 9, 10);
    assertThat(NDImageUtils.crop(picture.expandDims(0), 3, 0, 1, 2).toUint8Array())
        .containsExactly(3, 7);
    assertThat(new CenterCrop(2, 2).transform(bytes(4, 4, 3)).toUint8Array())
        .containsExactly(15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32);
    NDArray square = new Pad(7).transform(bytes(1, 2, 1));
    assertThat(square.getShape()).isEqualTo(new Shape(2, 2, 1));
    assertThat(square.toUint8Array()).containsExactly(0, 1, 7, 7);
    assertThat(new CenterFit(4, 1).transform(bytes(1, 2, 1)).toUint8Array())
        .containsExactly(0, 0, 1, 0);
    holds(count(1, 2).pad(new Shape(1, 0), -2.5), new Shape(1, 3), -2.5f, 0, 1);
  }

  @Test
  void softmaxIsAlongAnAxis() {
    float e = (float) (1 / (1 + Math.exp(-2)));
    float rest = (float) (Math.exp(-2) / (1 + Math.exp(-2)));
    holds(count(2, 2).softmax(0), new Shape(2, 2), rest, rest, e, e);
    float one = (float) (1 / (1 + Math.exp(-1)));
    float other = (float) (Math.exp(-1) / (1 + Math.exp(-1)));
    holds(count(2, 2).softmax(-1), new Shape(2, 2), other, one, other, one);
    holds(manager.create(new float[] {1e30f, -1e30f}).softmax(0), new Shape(2), 1, 0);
  }

  @Test
  void whatItCannotDoIsNamed() {
    Map<String, UnaryOperator<NDArray>> operations =
        Map.of(
            "matMul", x -> x.matMul(x),
            "eq", x -> x.eq(1),
            "argMax", NDArray::argMax,
            "gelu", x -> x.getNDArrayInternal().gelu(),
            "sigmoid", x -> x.getNDArrayInternal().swish(1));
    operations.forEach(
        (name, operation) ->
            assertThatThrownBy(() -> operation.apply(count(2, 2)))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageStartingWith(name + ": not an operation of the engine IVIT"));
    for (UnaryOperator<NDArray> operation :
        List.<UnaryOperator<NDArray>>of(x -> x.add(1), x -> x.softmax(0))) {
      assertThatThrownBy(() -> operation.apply(bytes(2)))
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageContaining("of uint8");
    }
  }

  @Test
  void valuesAreReplacedAsAWhole() {
    NDArray array = count(2);
    NDArray twin = array.duplicate();
    array.set(new float[] {5, 6});
    holds(array, new Shape(2), 5, 6);
    holds(twin, new Shape(2), 0, 1);
    assertThat(array).isNotEqualTo(twin).isEqualTo(manager.create(new float[] {5, 6}));
    assertThat(array.toString()).contains("5.");
    assertThat(array.toType(DataType.INT32, false).toIntArray()).containsExactly(5, 6);
  }

  @Test
  void arraysEndWithTheirManager() {
    NDManager child = manager.newSubManager();
    NDArray ends = child.create(1f);
    NDArray stays = child.create(2f);
    NDArray moved = child.create(3f);
    stays.detach();
    moved.attach(manager);
    child.close();
    assertThat(ends.isReleased()).isTrue();
    assertThatThrownBy(ends::toFloatArray).isInstanceOf(IllegalStateException.class);
    assertThat(stays.toFloatArray()).containsExactly(2);
    assertThat(moved.toFloatArray()).containsExactly(3);
    NDArray scoped;
    try (NDScope scope = new NDScope()) {
      scope.suppressNotUsedWarning();
      scoped = manager.create(1f);
    }
    assertThat(scoped.isReleased()).isTrue();
  }
}
