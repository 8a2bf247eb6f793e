package org.ivit.train.network;

import java.util.Map;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.AdamKernel;
import org.ivit.train.nd4j.NdMemory;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.AdamUpdater;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * ND4J's Adam, its state in the same places, in one native pass over the vectors where there are
 * native kernels and numbers are float32.
 */
public final class FusedAdam extends Adam {
  private static final long serialVersionUID = 1L;

  /** For JSON. */
  public FusedAdam() {}

  FusedAdam(ISchedule rate, double beta1, double beta2, double epsilon) {
    super(rate);
    setBeta1(beta1);
    setBeta2(beta2);
    setEpsilon(epsilon);
  }

  @Override
  public Adam clone() {
    FusedAdam copy = new FusedAdam(getLearningRateSchedule(), getBeta1(), getBeta2(), getEpsilon());
    copy.setLearningRate(getLearningRate());
    return copy;
  }

  @Override
  public GradientUpdater<Adam> instantiate(INDArray state, boolean initialize) {
    return new Updater(this, (AdamUpdater) super.instantiate(state, initialize));
  }

  @Override
  public GradientUpdater<Adam> instantiate(Map<String, INDArray> state, boolean initialize) {
    return new Updater(this, (AdamUpdater) super.instantiate(state, initialize));
  }

  private static final class Updater extends AdamUpdater {
    Updater(Adam config, AdamUpdater state) {
      super(config);
      setM(state.getM());
      setV(state.getV());
      setGradientReshapeOrder(state.getGradientReshapeOrder());
    }

    @Override
    public void applyUpdater(INDArray gradient, int iteration, int epoch) {
      Adam adam = getConfig();
      if (!isRun(gradient) || !isRun(getM()) || !isRun(getV())) {
        super.applyUpdater(gradient, iteration, epoch);
        return;
      }
      if (!AdamKernel.serves(NdMemory.read(gradient))) {
        super.applyUpdater(gradient, iteration, epoch);
        return;
      }
      double correction =
          Math.sqrt(1 - Math.pow(adam.getBeta2(), iteration + 1.0))
              / (1 - Math.pow(adam.getBeta1(), iteration + 1.0));
      try (NdMemory.Writes writes = NdMemory.writes()) {
        AdamKernel.update(
            WorkerPool.shared(),
            writes.to(gradient),
            writes.to(getM()),
            writes.to(getV()),
            adam.getBeta1(),
            adam.getBeta2(),
            adam.getLearningRate(iteration, epoch) * correction,
            adam.getEpsilon());
      }
    }

    private static boolean isRun(INDArray array) {
      return array.elementWiseStride() == 1;
    }
  }
}
