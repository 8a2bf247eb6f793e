package org.ivit.core.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ProceduralPictures.Strengths;
import org.ivit.core.image.Rgb;
import org.junit.jupiter.api.Test;

class ProceduralPicturesTest {
  private static final int SIZE = 32;
  private static final int INPUTS = 3 * SIZE * SIZE;

  private static ProceduralPictures pictures(int first, int count) {
    return new ProceduralPictures(5, first, count, SIZE, Strengths.DEFAULT);
  }

  @Test
  void pictureDependsOnSeedAndNumberAlone() {
    ProceduralPictures all = pictures(0, 60);
    ProceduralPictures part = pictures(20, 40);
    for (int i = 0; i < 40; i++) {
      assertThat(part.name(i)).isEqualTo(all.name(20 + i));
      assertThat(part.label(i)).isEqualTo(all.label(20 + i));
      assertThat(part.picture(i)).isEqualTo(all.picture(20 + i));
    }
    List<Rgb> parallel = IntStream.range(0, 60).parallel().mapToObj(all::picture).toList();
    assertThat(parallel).isEqualTo(IntStream.range(0, 60).mapToObj(all::picture).toList());
    assertThat(parallel).doesNotHaveDuplicates();
    assertThat(new ProceduralPictures(6, 0, 1, SIZE, Strengths.DEFAULT).picture(0))
        .isNotEqualTo(all.picture(0));
  }

  @Test
  void tenKindsInEqualNumber() {
    ProceduralPictures set = pictures(0, 50);
    assertThat(set.classNames()).hasSize(10).isSorted().doesNotHaveDuplicates();
    for (int label = 0; label < 10; label++) {
      int wanted = label;
      assertThat(IntStream.range(0, 50).filter(i -> set.label(i) == wanted).count()).isEqualTo(5);
    }
    assertThat(set.name(13)).isEqualTo("00000013-disc");
  }

  @Test
  void anySizeCanBeDrawn() {
    for (int size : new int[] {8, 33, 224}) {
      Rgb picture = new ProceduralPictures(1, 0, 1, size, Strengths.DEFAULT).picture(0);
      assertThat(picture.width()).isEqualTo(size);
      assertThat(picture.height()).isEqualTo(size);
    }
  }

  @Test
  void strengthsChangeThePicture() {
    Strengths plain = new Strengths(0, 0, 0, 90, 0, 0, 0);
    Rgb picture = new ProceduralPictures(5, 0, 1, SIZE, plain).picture(0);
    assertThat(picture).isNotEqualTo(pictures(0, 1).picture(0));
    assertThatThrownBy(() -> new Strengths(-1, 0, 0, 90, 0, 0, 0))
        .isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new ProceduralPictures(1, 0, 0, 32, plain))
        .isInstanceOf(InputException.class);
    assertThatThrownBy(() -> new ProceduralPictures(1, 0, 1, 7, plain))
        .isInstanceOf(InputException.class);
  }

  /** Multinomial logistic regression by gradient descent: it must find little. */
  @Test
  void linearModelStaysWeak() {
    float[][] training = features(pictures(0, 1500));
    float[][] unseen = features(pictures(1_000_000, 500));
    float[] weights = new float[10 * (INPUTS + 1)];
    for (int epoch = 0; epoch < 6; epoch++) {
      float rate = 0.01f / (1 + epoch);
      for (int i = 0; i < training.length; i++) {
        float[] gradient = logits(weights, training[i]);
        softmax(gradient);
        gradient[i % 10] -= 1;
        for (int k = 0; k < 10; k++) {
          float step = rate * gradient[k];
          for (int j = 0; j <= INPUTS; j++) {
            weights[k * (INPUTS + 1) + j] -= step * training[i][j];
          }
        }
      }
    }
    double fitted = accuracy(weights, training);
    double accuracy = accuracy(weights, unseen);
    assertThat(fitted).as("it did learn").isGreaterThan(0.3);
    assertThat(accuracy).isLessThan(0.60).isGreaterThan(0.15);
  }

  private static float[][] features(Dataset set) {
    float[][] features = new float[set.size()][INPUTS + 1];
    for (int i = 0; i < features.length; i++) {
      byte[] data = set.picture(i).data();
      for (int j = 0; j < INPUTS; j++) {
        features[i][j] = (data[j] & 0xff) / 127.5f - 1;
      }
      features[i][INPUTS] = 1;
    }
    return features;
  }

  private static float[] logits(float[] weights, float[] x) {
    float[] out = new float[10];
    for (int k = 0; k < 10; k++) {
      float sum = 0;
      for (int j = 0; j <= INPUTS; j++) {
        sum += weights[k * (INPUTS + 1) + j] * x[j];
      }
      out[k] = sum;
    }
    return out;
  }

  private static void softmax(float[] x) {
    float largest = x[best(x)];
    float sum = 0;
    for (int k = 0; k < x.length; k++) {
      x[k] = (float) Math.exp(x[k] - largest);
      sum += x[k];
    }
    for (int k = 0; k < x.length; k++) {
      x[k] /= sum;
    }
  }

  private static int best(float[] x) {
    int best = 0;
    for (int k = 1; k < x.length; k++) {
      best = x[k] > x[best] ? k : best;
    }
    return best;
  }

  private static double accuracy(float[] weights, float[][] set) {
    int right = 0;
    for (int i = 0; i < set.length; i++) {
      right += best(logits(weights, set[i])) == i % 10 ? 1 : 0;
    }
    return right / (double) set.length;
  }
}
