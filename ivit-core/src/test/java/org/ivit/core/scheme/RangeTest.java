package org.ivit.core.scheme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RangeTest {
  /** Sizes around the blocks in which values are compared; each place holds the extremes once. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 511, 512, 513, 1023, 1024, 1300})
  void ofValuesWhereverTheExtremesAre(int size) {
    Random random = new Random(size);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = random.nextFloat();
    }
    for (int i = 0; i < size; i++) {
      float before = values[i];
      values[i] = 2;
      assertThat(Range.of(values).max()).isEqualTo(2);
      values[i] = -1;
      assertThat(Range.of(values).min()).isEqualTo(-1);
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        values[i] = bad;
        assertThatThrownBy(() -> Range.of(values)).isInstanceOf(InputException.class);
      }
      values[i] = before;
    }
  }

  @Test
  void ofNothingIsNone() {
    assertThatThrownBy(() -> Range.of(new float[0])).isInstanceOf(InputException.class);
  }
}
