package org.ivit.train.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Structure;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.augment.PictureBatch;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductLibrary;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.CrossEntropy;
import org.ivit.train.operator.Loss;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepSettings;
import org.ivit.train.step.StepSums;
import org.ivit.train.step.StepVector;
import org.ivit.train.step.TeacherModel;

/**
 * Steps of training a network on a device: parameters, activations, gradients and moments stay
 * there. Parameters lie in one vector, part after part, as in Deeplearning4j's network; of the
 * host's copy of it, which holds the ranges, a step brings all but the matrices up to date. One
 * thread at a time.
 */
public final class DeviceStep implements AutoCloseable {
  private static final int THREADS = 256;
  private static final int SQUARE_PARTS = 1024;

  private final Device device;
  private final DeviceBuffers memory;
  private final Pass pass;
  private final DeviceNetwork network;
  private final ProductLibrary library;
  private final DeviceTeacher teacher;
  private final HostParameters hostParameters;
  private final DevicePictures images;
  private final WorkerPool pool;
  private final Loss loss;
  private final int classes;
  private final int size;
  private final long m;
  private final long v;
  private final long kinds;
  private final long average;
  private final double averageDecay;

  private static final class LossArguments extends Structure {
    private final Field<Long> logits = address();
    private final Field<Long> targets = address();
    private final Field<Long> gradient = address();
    private final Field<Long> losses = address();
    private final Field<Double> logitScale = float64();
    private final Field<Double> weight = float64();
    private final Field<Double> temperature = float64();
    private final Field<Integer> pictures = int32();
    private final Field<Integer> classes = int32();
    private final Field<Integer> targetStride = int32();
    private final Field<Integer> unused = unused();
  }

  private static final class SquareArguments extends Structure {
    private final Field<Long> gradient = address();
    private final Field<Long> partial = address();
    private final Field<Long> count = int64();
  }

  private static final class AdamArguments extends Structure {
    private final Field<Long> parameters = address();
    private final Field<Long> gradient = address();
    private final Field<Long> m = address();
    private final Field<Long> v = address();
    private final Field<Long> average = address();
    private final Field<Long> kinds = address();
    private final Field<Long> count = int64();
    private final Field<Float> pictures = float32();
    private final Field<Float> clip = float32();
    private final Field<Float> beta1 = float32();
    private final Field<Float> beta2 = float32();
    private final Field<Float> rate = float32();
    private final Field<Float> epsilon = float32();
    private final Field<Float> decay = float32();
    private final Field<Float> averageDecay = float32();
  }

  /**
   * @param device to run on; closed with this
   * @param architecture sizes
   * @param scheme how the network is quantized; null for floating point
   * @param settings how steps are taken
   * @param options how the device computes
   * @param model the teacher that steps ask; null where there is none, or targets bring its answers
   * @param pool threads that build constants
   * @throws org.ivit.core.InputException if the device has not enough memory, or cannot run it
   */
  public DeviceStep(
      Device device,
      Architecture architecture,
      Scheme scheme,
      StepSettings settings,
      DeviceOptions options,
      TeacherModel model,
      WorkerPool pool) {
    this.device = device;
    this.pool = pool;
    this.loss = settings.loss();
    this.averageDecay = settings.averageDecay();
    classes = architecture.classes();
    memory = new DeviceBuffers(device);
    library = options.library() ? ProductLibrary.open(device, options.precision()) : null;
    size = DeviceNetwork.parameters(device, architecture, scheme, settings.grids());
    pass =
        new Pass(
            device,
            memory.of("parameters", size, 4),
            memory.of("gradients", size, 4),
            options.precision(),
            library,
            options.recompute());
    network =
        DeviceNetwork.of(pass, architecture, scheme, settings.stochasticDepth(), settings.grids());
    images = new DevicePictures(pass);
    teacher =
        model == null
            ? null
            : new DeviceTeacher(device, model, temperature(loss), options.precision(), library);
    hostParameters = new HostParameters(pass, network.layouts());
    m = memory.of("m", size, 4);
    v = memory.of("v", size, 4);
    kinds = memory.of("kinds", size, 1);
    average = averageDecay > 0 ? memory.of("average", size, 4) : 0;
    for (long zeros : new long[] {pass.gradients, m, v}) {
      pass.clear(zeros, size);
    }
    device.write(kinds, kinds());
  }

  /** Of probabilities that are learned; 1 where features are. */
  private static double temperature(Loss loss) {
    return loss instanceof CrossEntropy entropy ? entropy.temperature() : 1;
  }

  /** Whether each parameter moves, and decays. */
  private ByteBuffer kinds() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(size);
    for (ParameterLayout layout : network.layouts()) {
      for (ParameterLayout.Entry entry : layout.entries()) {
        for (int i = 0; i < entry.size(); i++) {
          bytes.put(entry.kind().moves());
        }
      }
    }
    return bytes.flip();
  }

  /** In a few words, how reals are multiplied. */
  public String products() {
    return pass.product.description();
  }

  /** How many parameters there are, ranges included. */
  public int size() {
    return size;
  }

  /** Runs of learned parameters: first and how many. */
  public List<int[]> learned() {
    List<int[]> runs = new ArrayList<>();
    int at = 0;
    for (ParameterLayout layout : network.layouts()) {
      for (ParameterLayout.Entry entry : layout.entries()) {
        int[] last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
        if (entry.kind().learned() && last != null && last[0] + last[1] == at) {
          last[1] += entry.size();
        } else if (entry.kind().learned()) {
          runs.add(new int[] {at, entry.size()});
        }
        at += entry.size();
      }
    }
    return runs;
  }

  private long address(StepVector vector) {
    return switch (vector) {
      case PARAMETERS -> pass.parameters;
      case FIRST_MOMENTS -> m;
      case SECOND_MOMENTS -> v;
      case GRADIENTS -> pass.gradients;
      case AVERAGE -> {
        if (average == 0) {
          throw new IllegalStateException("no moving average");
        }
        yield average;
      }
    };
  }

  /**
   * Copies a part of a vector to the device.
   *
   * @param values direct, in the order of the machine; float32 between position and limit
   * @param from index of the first number
   */
  public void write(StepVector vector, ByteBuffer values, int from) {
    java.util.Objects.checkFromIndexSize(from, values.remaining() / 4, size);
    device.write(address(vector) + 4L * from, values);
  }

  /** Copies a part of a vector from the device, as {@link #write}. */
  public void read(StepVector vector, ByteBuffer values, int from) {
    java.util.Objects.checkFromIndexSize(from, values.remaining() / 4, size);
    device.read(values, address(vector) + 4L * from);
  }

  /**
   * Computes the gradients of a step and moves the parameters. Where loss or gradient are not
   * finite, nothing is moved.
   *
   * @param weights the parameters as the device has them, save for matrices, which are not looked
   *     at, and the ranges; what a step moves is brought up to date, save for matrices
   * @param batches at least one
   * @param observe whether ranges are observed
   * @param adam how to move
   */
  public StepResult run(
      Reals weights, List<MicroBatch> batches, boolean observe, AdamSettings adam) {
    return run(weights, batches, () -> null, observe, adam);
  }

  /**
   * As {@link #run(Reals, List, boolean, AdamSettings)}, with the pictures of the batch after these
   * on their way meanwhile.
   *
   * @param next gives them where they are at hand, otherwise null
   */
  public StepResult run(
      Reals weights,
      List<MicroBatch> batches,
      Supplier<PictureBatch> next,
      boolean observe,
      AdamSettings adam) {
    int pictures = batches.stream().mapToInt(MicroBatch::pictures).sum();
    double total = gradients(weights, batches, next, observe);
    double norm = norm();
    SortedMap<String, Range> seen = observe ? network.seen(pass) : new TreeMap<>();
    StepResult result = new StepSums(total, pictures, seen).result(norm);
    if (result.finite()) {
      move(adam, pictures, (float) adam.clip(result.gradientNorm()));
      hostParameters.refresh(pass, weights);
    }
    return result;
  }

  /** Leaves the sum of the gradients on the device; returns the sum of the losses. */
  private double gradients(
      Reals weights, List<MicroBatch> batches, Supplier<PictureBatch> next, boolean observe) {
    pass.beginStep(observe);
    network.prepare(pass, weights, pool);
    double total = 0;
    for (int i = 0; i < batches.size(); i++) {
      MicroBatch batch = batches.get(i);
      pass.beginBatch(batch.keys(), i > 0);
      network.draw(pass);
      int targets = pass.inputs.floats(batch.targets());
      pass.inputs.send();
      long pixelsAt = images.pixels(batch.images());
      long logits = network.forward(pass, pixelsAt, batch.pictures());
      long gradient = memory.of("gLogits", (long) batch.pictures() * classes, 4);
      loss(logits, pixelsAt, pass.inputs.at(targets), gradient, batch);
      network.backward(pass, gradient, batch.pictures());
      images.stage(i + 1 < batches.size() ? batches.get(i + 1).images() : next.get());
      total += losses(batch.pictures());
    }
    pass.grids.gradients(pass);
    return total;
  }

  private void loss(long logits, long pixels, long targets, long gradient, MicroBatch batch) {
    LossArguments a = new LossArguments();
    a.logits.set(logits);
    a.gradient.set(gradient);
    a.losses.set(memory.of("losses", batch.pictures(), 8));
    a.logitScale.set((double) network.logitScale());
    a.pictures.set(batch.pictures());
    a.classes.set(classes);
    int columns = batch.targets().length / batch.pictures();
    boolean asked = teacher != null;
    if (loss instanceof CrossEntropy entropy) {
      a.targets.set(asked ? teacher.extend(pixels, targets, batch.pictures()) : targets);
      a.targetStride.set(asked ? 2 * classes : columns);
      a.weight.set(entropy.weight());
      a.temperature.set(entropy.temperature());
      pass.warps("cross_entropy", batch.pictures(), a);
    } else {
      a.targets.set(asked ? teacher.answers(pixels, batch.pictures()) : targets);
      a.targetStride.set(asked ? classes : columns);
      a.weight.set(0.0);
      a.temperature.set(1.0);
      pass.warps("cosine_distance", batch.pictures(), a);
    }
  }

  private double losses(int pictures) {
    return sum(memory.of("losses", pictures, 8), pictures);
  }

  /** Adds up doubles of the device, in order. */
  private double sum(long address, int count) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(8 * count).order(ByteOrder.nativeOrder());
    device.read(bytes, address);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += bytes.getDouble(8 * i);
    }
    return sum;
  }

  private double norm() {
    long partial = memory.of("squares", SQUARE_PARTS, 8);
    SquareArguments a = new SquareArguments();
    a.gradient.set(pass.gradients);
    a.partial.set(partial);
    a.count.set((long) size);
    pass.grid("squares", SQUARE_PARTS, 1, 8 * THREADS, a);
    return Math.sqrt(sum(partial, SQUARE_PARTS));
  }

  private void move(AdamSettings adam, int pictures, float clip) {
    AdamArguments a = new AdamArguments();
    a.parameters.set(pass.parameters);
    a.gradient.set(pass.gradients);
    a.m.set(m);
    a.v.set(v);
    a.average.set(average);
    a.kinds.set(kinds);
    a.count.set((long) size);
    a.pictures.set((float) pictures);
    a.clip.set(clip);
    a.beta1.set((float) adam.beta1());
    a.beta2.set((float) adam.beta2());
    a.rate.set((float) adam.correctedRate());
    a.epsilon.set((float) adam.epsilon());
    a.decay.set((float) (adam.learningRate() * adam.weightDecay()));
    a.averageDecay.set((float) averageDecay);
    pass.each("adam", size, 0, a);
  }

  @Override
  public void close() {
    hostParameters.close();
    if (teacher != null) {
      teacher.close();
    }
    network.close();
    images.close();
    pass.close();
    if (library != null) {
      library.close();
    }
    memory.close();
    device.close();
  }
}
