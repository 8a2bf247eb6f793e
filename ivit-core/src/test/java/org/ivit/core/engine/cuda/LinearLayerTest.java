package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ivit.core.cuda.EmulatedDevice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Linear layers by themselves: sizes around those of tiles, extreme codes, sets of every size. */
class LinearLayerTest {
  private static final int SHARED_BYTES = 64 * 1024;

  @SuppressWarnings("unused")
  static final List<LinearChecks.Size> SIZES = LinearChecks.SIZES;

  @ParameterizedTest
  @FieldSource("SIZES")
  void equalsTheReference(LinearChecks.Size size) {
    for (int multiprocessors : new int[] {1, 9, 1000}) {
      equalsTheReference(size, new EmulatedDevice(multiprocessors, SHARED_BYTES));
    }
    equalsTheReference(size, new EmulatedDevice(1, SHARED_BYTES, true));
  }

  private static void equalsTheReference(LinearChecks.Size size, EmulatedDevice device) {
    assertThat(LinearChecks.differences(device, size)).isZero();
    assertThat(device.live()).isZero();
  }
}
