package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Updates and state are those of ND4J's Adam. */
class FusedAdamTest {
  private static final int SIZE = 40_001;

  @Test
  void updatesAndStateAreNd4js() {
    Adam own = new FusedAdam(new FixedSchedule(0.01), 0.9, 0.99, 1e-8);
    Adam theirs =
        Adam.builder()
            .learningRateSchedule(new FixedSchedule(0.01))
            .beta1(0.9)
            .beta2(0.99)
            .epsilon(1e-8)
            .build();
    INDArray ownState = Nd4j.create(1, 2 * SIZE);
    INDArray theirState = Nd4j.create(1, 2 * SIZE);
    GradientUpdater<?> ownUpdater = own.clone().instantiate(ownState, true);
    GradientUpdater<?> theirUpdater = theirs.instantiate(theirState, true);
    Random random = new Random(1);
    for (int iteration = 0; iteration < 5; iteration++) {
      float[] gradient = new float[SIZE];
      for (int i = 0; i < SIZE; i++) {
        gradient[i] = i == 0 ? 0 : (float) random.nextGaussian();
      }
      INDArray ownGradient = Nd4j.createFromArray(gradient).reshape(1, SIZE);
      INDArray theirGradient = Nd4j.createFromArray(gradient).reshape(1, SIZE);
      ownUpdater.applyUpdater(ownGradient, iteration, 0);
      theirUpdater.applyUpdater(theirGradient, iteration, 0);
      near(ownGradient, theirGradient, 1e-7);
      near(ownState, theirState, 1e-6);
    }
  }

  private static void near(INDArray found, INDArray expected, double tolerance) {
    float[] a = found.dup().data().asFloat();
    float[] b = expected.dup().data().asFloat();
    for (int i = 0; i < a.length; i++) {
      assertThat((double) a[i]).as("number %d", i).isCloseTo(b[i], Offset.offset(tolerance));
    }
  }

  @Test
  void copiesAreFusedToo() {
    FusedAdam adam = new FusedAdam(new FixedSchedule(0.5), 0.8, 0.9, 1e-7);
    assertThat(adam.clone()).isInstanceOf(FusedAdam.class).isEqualTo(adam);
  }
}
