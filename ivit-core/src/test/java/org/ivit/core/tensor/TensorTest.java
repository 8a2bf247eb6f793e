package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ReadOnlyBufferException;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

class TensorTest {
  @Test
  void copiesWhatItIsGivenAndGives() {
    float[] values = {1, 2};
    Tensor tensor = Tensor.of(values, 2);
    values[0] = 9;
    tensor.floats()[1] = 9;
    tensor.shape()[0] = 9;
    assertThat(tensor.floats()).containsExactly(1, 2);
    assertThat(tensor.shape()).containsExactly(2);
    assertThatThrownBy(() -> tensor.buffer().putFloat(0, 9))
        .isInstanceOf(ReadOnlyBufferException.class);
    tensor.buffer().getFloat();
    assertThat(tensor.buffer().position()).isZero();
  }

  @Test
  void equalityIsOfDTypeShapeAndBits() {
    assertThat(Tensor.of(new byte[] {1, 2}, 2)).isEqualTo(Tensor.of(new byte[] {1, 2}, 2));
    assertThat(Tensor.of(new byte[] {1, 2}, 2)).isNotEqualTo(Tensor.of(new byte[] {1, 2}, 1, 2));
    assertThat(Tensor.of(new byte[] {1, 2}, 2))
        .isNotEqualTo(Tensor.ofUnsigned(new byte[] {1, 2}, 2));
    assertThat(Tensor.of(new float[] {0f})).isNotEqualTo(Tensor.of(new float[] {-0f}));
  }

  @Test
  void shapeMustFit() {
    assertThatThrownBy(() -> Tensor.of(new float[5], 2, 3))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Tensor.of(new float[6], -2, -3))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Tensor.of(new float[0])).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void accessorsWidenButNeverNarrow() {
    Tensor i8 = Tensor.of(new byte[] {-128, 127}, 2);
    assertThat(i8.shorts()).containsExactly(-128, 127);
    assertThat(i8.ints()).containsExactly(-128, 127);
    assertThat(i8.longs()).containsExactly(-128, 127);
    assertThat(i8.bytes()).containsExactly(-128, 127);
    assertThat(Tensor.ofUnsigned(new byte[] {-128}, 1).shorts()).containsExactly(128);
    assertThat(Tensor.of(new float[] {0.1f}, 1).doubles()).containsExactly(0.1f);
    Tensor i32 = Tensor.of(new int[] {1}, 1);
    assertThatThrownBy(i32::shorts).isInstanceOf(InputException.class);
    assertThatThrownBy(i32::bytes).isInstanceOf(InputException.class);
    assertThatThrownBy(i32::floats).isInstanceOf(InputException.class);
    assertThatThrownBy(i32::doubles).isInstanceOf(InputException.class);
    assertThatThrownBy(Tensor.of(new long[] {1}, 1)::ints).isInstanceOf(InputException.class);
    assertThatThrownBy(Tensor.of(new double[] {1}, 1)::floats).isInstanceOf(InputException.class);
    assertThatThrownBy(Tensor.of(new float[] {1}, 1)::longs)
        .isInstanceOf(InputException.class)
        .hasMessage("tensor: dtype is F32, expected one of [I64, I32, I16, I8, U8]");
  }
}
