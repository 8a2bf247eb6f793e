package org.ivit.train.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Rgb;
import org.junit.jupiter.api.Test;

class NormalisedBatchesTest {
  private static final Normalisation NORMALISATION =
      new Normalisation(new float[] {0.5f, 0.4f, 0.3f}, new float[] {0.2f, 0.3f, 0.25f});

  @Test
  void picturesStandBehindEachOtherAndTheLastBatchHasTheRest() {
    Random random = new Random(1);
    List<Rgb> pictures = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      byte[] data = new byte[3 * 5 * 4];
      random.nextBytes(data);
      pictures.add(new Rgb(5, 4, data));
    }
    NormalisedBatches batches = new NormalisedBatches(pictures, 3, NORMALISATION);
    assertThat(batches).hasSize(3);
    assertThat(batches.get(2)).isEqualTo(NORMALISATION.apply(pictures.get(6)));
    for (int i = 0; i < 6; i++) {
      float[] batch = batches.get(i / 3);
      assertThat(batch).hasSize(180);
      float[] picture = java.util.Arrays.copyOfRange(batch, i % 3 * 60, i % 3 * 60 + 60);
      assertThat(picture).isEqualTo(NORMALISATION.apply(pictures.get(i)));
    }
    assertThatThrownBy(() -> batches.get(3)).isInstanceOf(RuntimeException.class);
  }

  @Test
  void aBatchLargerThanAllPicturesHasThem() {
    Rgb picture = new Rgb(1, 1, new byte[] {1, 2, 3});
    NormalisedBatches batches =
        new NormalisedBatches(List.of(picture), Integer.MAX_VALUE, NORMALISATION);
    assertThat(batches).hasSize(1);
    assertThat(batches.get(0)).isEqualTo(NORMALISATION.apply(picture));
  }
}
