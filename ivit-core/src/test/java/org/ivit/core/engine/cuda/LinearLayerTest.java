package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearLayer;
import org.ivit.core.graph.Linear;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCodes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Linear layers by themselves: sizes around those of tiles, extreme codes, sets of every size. */
class LinearLayerTest {
  private static final int SHARED_BYTES = 64 * 1024;

  @SuppressWarnings("unused")
  static final List<LinearChecks.Size> SIZES = LinearChecks.SIZES;

  @SuppressWarnings("unused")
  static final List<LinearChecks.Size> OF_CLUSTERS = LinearChecks.OF_CLUSTERS;

  @ParameterizedTest
  @FieldSource("SIZES")
  void equalsTheReference(LinearChecks.Size size) {
    for (int multiprocessors : new int[] {1, 9, 1000}) {
      equalsTheReference(size, new EmulatedDevice(multiprocessors, SHARED_BYTES));
    }
    equalsTheReference(size, new EmulatedDevice(1, SHARED_BYTES, true));
    equalsTheReference(size, new EmulatedDevice(1, SHARED_BYTES, false, true));
  }

  /** Several clusters, several tiles of each, more stages than lie in memory, ragged edges. */
  @ParameterizedTest
  @FieldSource("OF_CLUSTERS")
  void equalsTheReferenceByClusters(LinearChecks.Size size) {
    for (int multiprocessors : new int[] {1, 4}) {
      EmulatedDevice device = new EmulatedDevice(multiprocessors, SHARED_BYTES, false, true);
      assertThat(LinearChecks.differencesOfCodes(device, size)).isZero();
      assertThat(device.live()).isZero();
    }
  }

  /** Clusters take what fills three quarters of their turns, at 128 columns of weights and more. */
  @Test
  void takesClustersForLargeProducts() {
    EmulatedDevice device = new EmulatedDevice(132, SHARED_BYTES, true, true);
    try (Constants constants = new Constants(device)) {
      LinearLayer layer = LinearLayer.natural(constants, ofFourBits());
      assertThat(kernel(layer, device, 66 * 256)).isEqualTo("linear_codes_cluster");
      assertThat(kernel(layer, device, 49 * 256 + 1)).isEqualTo("linear_codes_cluster");
      assertThat(kernel(layer, device, 49 * 256)).isEqualTo("linear_codes_medium");
      assertThat(kernel(layer, device, 67 * 256)).isEqualTo("linear_codes_warpgroup");
      assertThat(kernel(layer, device, 99 * 256)).isEqualTo("linear_codes_cluster");
      EmulatedDevice other = new EmulatedDevice(132, SHARED_BYTES, true, false);
      assertThat(kernel(layer, other, 66 * 256)).isEqualTo("linear_codes_warpgroup");
    }
  }

  @SuppressWarnings("unused")
  static final List<LinearChecks.Size> EPILOGUES = EpilogueChecks.SIZES;

  @ParameterizedTest
  @FieldSource("EPILOGUES")
  void addsAndLooksUpAsTheReference(LinearChecks.Size size) {
    for (int multiprocessors : new int[] {1, 9, 1000}) {
      EmulatedDevice device = new EmulatedDevice(multiprocessors, SHARED_BYTES);
      assertThat(EpilogueChecks.differencesOfSums(device, size)).isZero();
      assertThat(EpilogueChecks.differencesOfGelu(device, size)).isZero();
    }
    for (boolean clusters : new boolean[] {false, true}) {
      EmulatedDevice hopper = new EmulatedDevice(1, SHARED_BYTES, true, clusters);
      assertThat(EpilogueChecks.differencesOfSums(hopper, size)).isZero();
      assertThat(EpilogueChecks.differencesOfGelu(hopper, size)).isZero();
    }
  }

  /** A product of few tiles splits a long K, and one of many does not. */
  @Test
  void splitsLongProductsOfFewTiles() {
    EmulatedDevice device = new EmulatedDevice(4, SHARED_BYTES);
    try (Constants constants = new Constants(device)) {
      Linear longer = LinearChecks.ofZeros(449, 64);
      assertThat(kernel(LinearLayer.natural(constants, LinearChecks.ofZeros(448, 64)), device, 1))
          .isEqualTo("linear_codes_small");
      LinearLayer layer = LinearLayer.natural(constants, longer);
      assertThat(kernel(layer, device, 128)).isEqualTo("linear_codes_sliced");
      assertThat(kernel(layer, device, 129)).isEqualTo("linear_codes_small");
      assertThat(layer.logits(device, 1, 0, 512, 0, false).kernel())
          .isEqualTo("linear_logits_sliced");
    }
  }

  /** Few rows read indices, more rows codes, which lie on the device from then on. */
  @Test
  void decodesIndicesOfFewRows() {
    EmulatedDevice device = new EmulatedDevice(1000, SHARED_BYTES);
    int most = LinearLayer.MOST_ROWS_OF_INDICES;
    try (Constants constants = new Constants(device)) {
      LinearLayer layer = LinearLayer.natural(constants, ofFourBits());
      int before = device.live();
      assertThat(kernel(layer, device, most)).isEqualTo("linear_codes_indices_small");
      assertThat(device.live()).isEqualTo(before);
      assertThat(kernel(layer, device, most + 1)).isEqualTo("linear_codes_small");
      assertThat(kernel(layer, device, most + 1)).isEqualTo("linear_codes_small");
      assertThat(device.live()).isEqualTo(before + 1);
    }
    assertThat(device.live()).isZero();
  }

  private static String kernel(LinearLayer layer, EmulatedDevice device, int rows) {
    return layer.codes(device, rows, 0, 0, 64, null).kernel();
  }

  private static Linear ofFourBits() {
    WeightCodes codes = new WeightCodes(1, 2, new UniformGrid(4), new byte[1]);
    DyadicVector multipliers = new DyadicVector(new int[] {1 << 30}, new byte[] {33});
    return new Linear("fc", 2, 1, codes, new int[1], OutlierChannels.NONE, multipliers, 8, 1f);
  }

  private static void equalsTheReference(LinearChecks.Size size, EmulatedDevice device) {
    assertThat(LinearChecks.differences(device, size)).isZero();
    assertThat(device.live()).isZero();
  }
}
