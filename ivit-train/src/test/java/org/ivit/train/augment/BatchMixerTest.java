package org.ivit.train.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.ivit.core.Size;
import org.ivit.train.recipe.Augmentation;
import org.ivit.train.recipe.Augmentation.Fill;
import org.ivit.train.recipe.Augmentation.MixupMode;
import org.junit.jupiter.api.Test;

class BatchMixerTest {
  private static final int SIZE = 12;
  private static final Size PICTURE = Size.of(SIZE);
  private static final int LENGTH = 3 * SIZE * SIZE;
  private static final int CLASSES = 5;
  private static final int[] LABELS = {0, 1, 2, 3};

  private static BatchMixer mixer(
      double mixup, double cutmix, double probability, double switching, double smoothing) {
    return mixer(mixup, cutmix, probability, switching, smoothing, MixupMode.BATCH, 0);
  }

  private static BatchMixer mixer(
      double mixup,
      double cutmix,
      double probability,
      double switching,
      double smoothing,
      MixupMode mode,
      int offEpoch) {
    Augmentation augmentation =
        new Augmentation(
            null,
            0,
            0,
            null,
            new Augmentation.ColorJitter(0, 0, 0),
            mixup,
            cutmix,
            probability,
            switching,
            mode,
            offEpoch,
            smoothing,
            new Augmentation.RandomErasing(0, Fill.PIXEL, 1, 1));
    return new BatchMixer(augmentation, CLASSES, 3);
  }

  /** Picture i holds the number i + 1 everywhere. */
  private static float[] batch(int pictures) {
    float[] batch = new float[pictures * LENGTH];
    for (int i = 0; i < batch.length; i++) {
      batch[i] = 1 + i / LENGTH;
    }
    return batch;
  }

  @Test
  void labelSmoothingAlone() {
    float[] pictures = batch(4);
    float[] targets = mixer(0, 0, 1, 0.5, 0.1).mix(pictures, LABELS, PICTURE, 0, 0);
    assertThat(pictures).isEqualTo(batch(4));
    for (int i = 0; i < 4; i++) {
      for (int c = 0; c < CLASSES; c++) {
        assertThat(targets[i * CLASSES + c]).isCloseTo(c == i ? 0.92f : 0.02f, within(1e-6f));
      }
    }
  }

  @Test
  void mixupBlendsPicturesAndLabelsAlike() {
    BatchMixer mixer = mixer(0.8, 0, 1, 0.5, 0);
    double sum = 0;
    double square = 0;
    for (int step = 0; step < 2000; step++) {
      float[] pictures = batch(4);
      float[] targets = mixer.mix(pictures, LABELS, PICTURE, 0, step);
      double share = targets[0];
      assertThat(targets[3]).isCloseTo((float) (1 - share), within(1e-6f));
      assertThat(targets[1] + targets[2] + targets[4]).isZero();
      assertThat(pictures[0]).isCloseTo((float) (share + 4 * (1 - share)), within(1e-5f));
      assertThat(pictures[4 * LENGTH - 1])
          .isCloseTo((float) (4 * share + 1 - share), within(1e-5f));
      assertThat(pictures[2 * LENGTH - 1])
          .isCloseTo((float) (2 * share + 3 * (1 - share)), within(1e-5f));
      sum += share;
      square += (share - 0.5) * (share - 0.5);
    }
    assertThat(sum / 2000).isCloseTo(0.5, within(0.03));
    // The variance of beta(a, a) is 1/(4(2a + 1)).
    assertThat(square / 2000).isCloseTo(1 / (4 * 2.6), within(0.01));
  }

  @Test
  void cutmixExchangesARectangleOfTheLabelsShare() {
    BatchMixer mixer = mixer(0, 1, 1, 0.5, 0);
    boolean whole = false;
    for (int step = 0; step < 500; step++) {
      float[] pictures = batch(4);
      float[] targets = mixer.mix(pictures, LABELS, PICTURE, 1, step);
      int[] changed = new int[4];
      for (int i = 0; i < pictures.length; i++) {
        int own = i / LENGTH;
        assertThat(pictures[i]).isIn((float) (own + 1), (float) (4 - own));
        changed[own] += pictures[i] == own + 1 ? 0 : 1;
      }
      float share = 1 - changed[0] / (float) LENGTH;
      assertThat(changed).containsOnly(changed[0]);
      assertThat(targets[0]).isCloseTo(share, within(1e-6f));
      assertThat(targets[3]).isCloseTo(1 - share, within(1e-6f));
      whole |= changed[0] > LENGTH / 2;
    }
    assertThat(whole).isTrue();
  }

  @Test
  void probabilitiesChooseNothingMixupOrCutmix() {
    BatchMixer mixer = mixer(0.8, 1, 0.6, 0.25, 0);
    int none = 0;
    int blended = 0;
    for (int step = 0; step < 3000; step++) {
      float[] pictures = batch(2);
      mixer.mix(pictures, new int[] {0, 1}, PICTURE, 0, step);
      boolean whole = true;
      boolean between = false;
      for (float value : pictures) {
        between |= value != 1 && value != 2;
      }
      for (int i = 0; i < LENGTH; i++) {
        whole &= pictures[i] == 1;
      }
      blended += between ? 1 : 0;
      none += whole ? 1 : 0;
    }
    // Some rectangles of cutmix are empty.
    assertThat(none / 3000.0).isBetween(0.38, 0.48);
    assertThat(blended / 3000.0).isCloseTo(0.45, within(0.03));
  }

  @Test
  void stepDecidesAlone() {
    BatchMixer mixer = mixer(0.8, 1, 1, 0.5, 0.1);
    float[] first = batch(4);
    float[] targets = mixer.mix(first, LABELS, PICTURE, 2, 7);
    mixer.mix(batch(4), LABELS, PICTURE, 2, 8);
    float[] again = batch(4);
    assertThat(mixer.mix(again, LABELS, PICTURE, 2, 7)).isEqualTo(targets);
    assertThat(again).isEqualTo(first);
    float[] other = batch(4);
    assertThat(mixer.mix(other, LABELS, PICTURE, 2, 8)).isNotEqualTo(targets);
  }

  @Test
  void oddBatchesAndEqualLabels() {
    float[] pictures = batch(3);
    float[] targets = mixer(0.8, 0, 1, 0, 0.1).mix(pictures, new int[] {4, 1, 4}, PICTURE, 0, 0);
    for (int k = 0; k < LENGTH; k++) {
      assertThat(pictures[LENGTH + k]).isCloseTo(2, within(1e-6f));
    }
    for (int i = 0; i < 3; i++) {
      float sum = 0;
      for (int c = 0; c < CLASSES; c++) {
        sum += targets[i * CLASSES + c];
      }
      assertThat(sum).isCloseTo(1, within(1e-6f));
      assertThat(targets[i * CLASSES + (i == 1 ? 1 : 4)]).isCloseTo(0.92f, within(1e-6f));
    }
    assertThatThrownBy(() -> mixer(0, 0, 1, 0, 0).mix(new float[5], new int[] {0}, PICTURE, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void eachPairOrPictureHasItsOwnDraws() {
    for (MixupMode mode : new MixupMode[] {MixupMode.PAIR, MixupMode.ELEM}) {
      BatchMixer mixer = mixer(0.8, 1, 0.6, 0.25, 0, mode, 0);
      int none = 0;
      int blended = 0;
      int apart = 0;
      int alike = 0;
      for (int step = 0; step < 1000; step++) {
        float[] pictures = batch(4);
        float[] targets = mixer.mix(pictures, LABELS, PICTURE, 0, step);
        for (int i = 0; i < 4; i++) {
          double share = targets[i * CLASSES + i];
          assertThat(targets[i * CLASSES + 3 - i]).isCloseTo((float) (1 - share), within(1e-6f));
          // A picture of i + 1 everywhere: its mean tells how much of it is left.
          double sum = 0;
          boolean between = false;
          for (int k = i * LENGTH; k < (i + 1) * LENGTH; k++) {
            sum += pictures[k];
            between |= pictures[k] != i + 1 && pictures[k] != 4 - i;
          }
          assertThat(sum / LENGTH).isCloseTo((i + 1) * share + (4 - i) * (1 - share), within(1e-4));
          none += share == 1 ? 1 : 0;
          blended += between ? 1 : 0;
        }
        boolean partners = targets[0] == targets[3 * CLASSES + 3];
        assertThat(mode == MixupMode.ELEM || partners).isTrue();
        apart += partners ? 0 : 1;
        alike += targets[0] == targets[CLASSES + 1] && targets[0] != 1 ? 1 : 0;
      }
      // Some rectangles of cutmix are empty.
      assertThat(none / 4000.0).isBetween(0.38, 0.48);
      assertThat(blended / 4000.0).isCloseTo(0.45, within(0.03));
      // Rectangles of the same size.
      assertThat(alike / 1000.0).isLessThan(0.05);
      assertThat(apart / 1000.0).isBetween(mode == MixupMode.ELEM ? 0.75 : 0, 0.9);
    }
  }

  @Test
  void offFromItsEpochOnButStillSmooth() {
    for (MixupMode mode : MixupMode.values()) {
      BatchMixer mixer = mixer(0.8, 1, 1, 0.5, 0.1, mode, 3);
      float[] pictures = batch(4);
      float[] targets = mixer.mix(pictures, LABELS, PICTURE, 3, 0);
      assertThat(pictures).isEqualTo(batch(4));
      assertThat(targets[0]).isCloseTo(0.92f, within(1e-6f));
      mixer.mix(pictures, LABELS, PICTURE, 2, 0);
      assertThat(pictures).isNotEqualTo(batch(4));
    }
  }
}
