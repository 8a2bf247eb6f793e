package org.ivit.train.network;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.ivit.core.cuda.Device;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.augment.PictureBatch;
import org.ivit.train.device.DeviceOptions;
import org.ivit.train.device.DeviceStep;
import org.ivit.train.memory.Reals;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.operator.Loss;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.recipe.GpuChoice;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.NetworkStep;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepSettings;
import org.ivit.train.step.StepVector;
import org.ivit.train.step.TeacherModel;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Steps of a network on a device. Deeplearning4j's vectors define, save and restore the network:
 * its ranges and all parameters but matrices follow each step, the rest when it is asked for.
 */
public final class DeviceTrainingStep implements NetworkStep {
  private static final int BLOCK = 1 << 16;

  private final TransformerNetwork network;
  private final Device device;
  private final double clipNorm;
  private final boolean averages;
  private final boolean teaches;
  private final DeviceStep step;

  /** Whether Deeplearning4j's vectors are as the device's. */
  private boolean current = true;

  /** Numbers of a vector that are learned, one after the other. */
  private final List<int[]> learned;

  private final ByteBuffer block =
      ByteBuffer.allocateDirect(4 * BLOCK).order(ByteOrder.nativeOrder());

  /**
   * @param network with an optimizer; its state is where the device begins
   * @param device to run on; closed with this, also where this fails
   * @param clipNorm largest global norm of the mean gradient, 0 for no clipping
   * @param gpu precision and memory
   * @param teacher that steps ask; null where there is none
   * @param averageDecay of the moving average; 0 for none
   * @param average what the moving average begins with; null without one
   * @param pool threads that quantize weights
   * @throws org.ivit.core.InputException if the device cannot run it
   */
  public DeviceTrainingStep(
      TransformerNetwork network,
      Device device,
      double clipNorm,
      GpuChoice gpu,
      TeacherModel teacher,
      double averageDecay,
      FloatWeights average,
      WorkerPool pool) {
    this.network = network;
    this.device = device;
    this.clipNorm = clipNorm;
    this.averages = average != null;
    this.teaches = teacher != null;
    NetworkOptions options = network.options();
    step =
        new DeviceStep(
            device,
            options.architecture(),
            options.scheme(),
            new StepSettings(
                options.stochasticDepth(),
                Loss.of(
                    options.architecture(),
                    options.distillationWeight(),
                    options.distillationTemperature()),
                averages ? averageDecay : 0,
                options.grids()),
            new DeviceOptions(gpu.products(), true, gpu.recompute()),
            teacher,
            pool);
    learned = step.learned();
    Reals parameters = parameters();
    if (parameters.size() != step.size()) {
      throw new IllegalStateException(
          "the network has " + parameters.size() + " parameters, the device " + step.size());
    }
    copyTo(StepVector.PARAMETERS, parameters, 0, 0, step.size());
    moments(
        NdMemory::read, (vector, state, at, from, count) -> copyTo(vector, state, at, from, count));
    if (averages) {
      float[] own = network.parameterVector();
      network.load(average);
      copyTo(StepVector.AVERAGE, parameters(), 0, 0, step.size());
      network.parameterVector(own);
    }
  }

  private Reals parameters() {
    return NdMemory.read(network.graph().params());
  }

  /** Copies {@code count} numbers of {@code source} from {@code at} on. */
  private void copyTo(StepVector vector, Reals source, int at, int from, int count) {
    float[] values = new float[Math.min(BLOCK, count)];
    for (int done = 0; done < count; done += BLOCK) {
      int n = Math.min(BLOCK, count - done);
      source.get(at + done, values, 0, n);
      block.clear();
      block.asFloatBuffer().put(values, 0, n);
      step.write(vector, block.limit(4 * n), from + done);
    }
  }

  private void copyFrom(StepVector vector, Reals target, int at, int from, int count) {
    float[] values = new float[Math.min(BLOCK, count)];
    for (int done = 0; done < count; done += BLOCK) {
      int n = Math.min(BLOCK, count - done);
      block.clear().limit(4 * n);
      step.read(vector, block, from + done);
      block.asFloatBuffer().get(values, 0, n);
      target.put(at + done, values, 0, n);
    }
  }

  private interface MomentBody {
    void accept(StepVector vector, Reals state, int at, int from, int count);
  }

  /** A block of Deeplearning4j's updater state holds the first moments, then the second ones. */
  private void moments(Function<INDArray, Reals> access, MomentBody body) {
    INDArray array = network.graph().getUpdater().getUpdaterStateViewArray();
    if (array == null) {
      return;
    }
    Reals state = access.apply(array);
    for (UpdaterBlock block : network.graph().getUpdater().getUpdaterBlocks()) {
      int from = block.getParamOffsetStart();
      int count = block.getParamOffsetEnd() - from;
      int at = block.getUpdaterViewOffsetStart();
      if (block.getUpdaterViewOffsetEnd() - at == 2 * count) {
        body.accept(StepVector.FIRST_MOMENTS, state, at, from, count);
        body.accept(StepVector.SECOND_MOMENTS, state, at + count, from, count);
      }
    }
  }

  @Override
  public boolean preparesPictures() {
    return true;
  }

  @Override
  public StepResult run(List<MicroBatch> batches) {
    return run(batches, () -> null);
  }

  @Override
  public StepResult run(List<MicroBatch> batches, Supplier<PictureBatch> next) {
    AdamW optimizer = network.options().optimizer();
    int iteration = network.graph().getConfiguration().getIterationCount();
    AdamSettings adam =
        new AdamSettings(
            network.learningRate(),
            optimizer.weightDecay(),
            optimizer.beta1(),
            optimizer.beta2(),
            optimizer.epsilon(),
            iteration,
            clipNorm);
    boolean observe = network.execution().rangeMode() == RangeMode.LAGGED;
    StepResult result;
    try (NdMemory.Writes writes = NdMemory.writes()) {
      result = step.run(writes.to(network.graph().params()), batches, next, observe, adam);
    }
    if (result.finite()) {
      current = false;
      network.graph().getConfiguration().setIterationCount(iteration + 1);
    }
    return result;
  }

  /** Puts a vector of the device into the network's parameters. */
  private void readLearned(StepVector vector) {
    try (NdMemory.Writes writes = NdMemory.writes()) {
      Reals target = writes.to(network.graph().params());
      for (int[] run : learned) {
        copyFrom(vector, target, run[0], run[0], run[1]);
      }
    }
  }

  @Override
  public String description() {
    return "cuda: %s, products in %s".formatted(device.name(), step.products());
  }

  @Override
  public void synchronise() {
    if (current) {
      return;
    }
    readLearned(StepVector.PARAMETERS);
    try (NdMemory.Writes writes = NdMemory.writes()) {
      moments(
          writes::to, (vector, state, at, from, count) -> copyFrom(vector, state, at, from, count));
    }
    current = true;
  }

  @Override
  public boolean averages() {
    return averages;
  }

  @Override
  public boolean teaches() {
    return teaches;
  }

  @Override
  public FloatWeights average() {
    if (!averages) {
      return null;
    }
    float[] own = network.parameterVector();
    readLearned(StepVector.AVERAGE);
    FloatWeights average = network.weights();
    network.parameterVector(own);
    return average;
  }

  @Override
  public void close() {
    step.close();
  }
}
