package org.ivit.train.distributed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.SchemeJson;
import org.ivit.train.augment.BatchMixer;
import org.ivit.train.augment.EpochOrder;
import org.ivit.train.augment.KeyedRandom;
import org.ivit.train.augment.TrainingTransform;
import org.ivit.train.loading.RecipePictures;
import org.ivit.train.loading.RepeatedPictures;
import org.ivit.train.memory.RealType;
import org.ivit.train.network.GradientSum;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.StartWeights;
import org.ivit.train.network.Teacher;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.parameter.GridPoints;
import org.ivit.train.recipe.Distillation;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepSums;

/**
 * Computes parts of the gradients of a run's steps. It holds nothing of the run's state: what a
 * part is depends on the parameters and the step alone, so any worker can do it, and again. While
 * it waits for the next step it loads the pictures that it expects. Not safe for two threads.
 */
public final class GradientWorker implements AutoCloseable {
  private final Recipe recipe;
  private final WorkerPool pool;
  private final int threads;
  private final RepeatedPictures data;
  private final Teacher teacher;
  private final TransformerNetwork network;
  private final GradientSum sum;
  private final TrainingTransform transform;
  private final BatchMixer mixer;
  private final Size image;
  private final int classes;
  private Pictures expected;

  /** Pictures that are being loaded. */
  private record Pictures(
      StepRequest request, int part, int parts, PictureLoader<float[]> loader) {}

  private GradientWorker(Recipe recipe, GradientJob job, WorkerPool pool, int threads) {
    this.recipe = recipe;
    this.pool = pool;
    this.threads = threads;
    Architecture architecture = RunDirectory.architecture(recipe);
    image = architecture.image();
    data =
        new RepeatedPictures(
            RecipePictures.open(recipe.data().train(), recipe, architecture),
            recipe.data().train().repeats());
    classes = RecipePictures.labelled(data.base(), architecture);
    requireSame("data.train", job.data(), Datasets.digest(data.base()));
    requireSame("distillation.teacher", job.teacher(), Teacher.digest(recipe));
    Distillation distillation = recipe.distillation();
    FloatWeights start =
        distillation == null ? null : StartWeights.read(recipe, architecture, line -> {});
    teacher = Teacher.open(recipe, architecture, start, pool, line -> {});
    network =
        TransformerNetwork.build(
            new NetworkOptions(
                architecture,
                job.scheme() == null ? null : SchemeJson.parse(job.scheme()),
                RealType.FLOAT32,
                recipe.seed(),
                null,
                recipe.stochasticDepth(),
                distillation == null ? 0 : distillation.weight(),
                distillation == null ? 1 : distillation.temperature(),
                GridPoints.parse("job", job.grids())),
            pool);
    sum = new GradientSum(network);
    transform =
        new TrainingTransform(
            recipe.augmentation(), RecipePictures.preprocess(recipe, architecture), recipe.seed());
    mixer = new BatchMixer(recipe.augmentation(), classes, recipe.seed());
  }

  /**
   * Opens pictures and teacher and builds the network.
   *
   * @param job the run
   * @param threads of loader and network
   * @throws InputException if a file of the run is not here, or is another one
   */
  public static GradientWorker open(GradientJob job, int threads) {
    Recipe recipe = Recipe.parse("recipe", job.recipe(), List.of());
    WorkerPool pool = new WorkerPool(threads);
    try {
      return new GradientWorker(recipe, job, pool, threads);
    } catch (RuntimeException e) {
      pool.close();
      throw e;
    }
  }

  private static void requireSame(String key, String expected, String found) {
    if (!expected.equals(found)) {
      throw new InputException(
          key + ": a worker sees other files than the driver, expected the same on all machines");
    }
  }

  /**
   * Computes a part of a step's gradient.
   *
   * @param parameters of {@link TransformerNetwork#parameterVector()}
   * @param request the step
   * @param part which part, from 0
   * @param parts in how many parts the step is cut
   * @throws InputException naming a picture that cannot be read
   */
  public GradientPart gradients(float[] parameters, StepRequest request, int part, int parts) {
    Pictures pictures = take(request, part, parts);
    List<MicroBatch> batches;
    try (PictureLoader<float[]> loader = pictures.loader) {
      batches = batches(loader, request, part, parts);
    }
    expect(next(request), part, parts);
    if (batches.isEmpty()) {
      return GradientPart.none();
    }
    network.parameterVector(parameters);
    network.rangeMode(request.observed() ? RangeMode.LAGGED : RangeMode.FROZEN);
    StepSums sums = sum.run(batches);
    return GradientPart.of(network.gradientVector(), sums);
  }

  private Pictures take(StepRequest request, int part, int parts) {
    Pictures waiting = expected;
    expected = null;
    if (waiting != null) {
      if (waiting.request.equals(request) && waiting.part == part && waiting.parts == parts) {
        return waiting;
      }
      waiting.loader.close();
    }
    return open(request, part, parts);
  }

  private void expect(StepRequest request, int part, int parts) {
    if (request != null) {
      expected = open(request, part, parts);
    }
  }

  /** The step after a step of the same epoch; null after the last. */
  private StepRequest next(StepRequest request) {
    int batch = recipe.optimizer().batchSize();
    int position = request.position() + request.batches() * batch;
    int batches = Math.min(request.batches(), (data.base().size() - position) / batch);
    return batches == 0
        ? null
        : new StepRequest(request.epoch(), position, batches, request.observed());
  }

  private Pictures open(StepRequest request, int part, int parts) {
    int batch = recipe.optimizer().batchSize();
    int[] order = order(request.epoch());
    int[] places = StepSlice.places(batch, part, parts);
    int[] wanted =
        IntStream.range(0, request.batches())
            .flatMap(b -> Arrays.stream(places).map(i -> order[request.position() + b * batch + i]))
            .toArray();
    PictureLoader<float[]> loader =
        new PictureLoader<>(
            data,
            wanted,
            (picture, index) -> transform.apply(picture, request.epoch(), index),
            OnCorrupt.FAIL,
            threads,
            Math.max(1, wanted.length));
    return new Pictures(request, part, parts, loader);
  }

  private int[] order(int epoch) {
    return EpochOrder.repeated(data.base().size(), data.repeats(), recipe.seed(), epoch);
  }

  /** Mixes whole micro-batches, in which only the own pictures are filled, and keeps those. */
  private List<MicroBatch> batches(
      PictureLoader<float[]> loader, StepRequest request, int part, int parts) {
    int batch = recipe.optimizer().batchSize();
    int size = 3 * image.area();
    int[] order = order(request.epoch());
    int[] places = StepSlice.places(batch, part, parts);
    List<MicroBatch> batches = new ArrayList<>();
    float[] pixels = places.length == 0 ? null : new float[batch * size];
    for (int b = 0; b < request.batches() && places.length > 0; b++) {
      int position = request.position() + b * batch;
      int[] labels = new int[batch];
      for (int i = 0; i < batch; i++) {
        labels[i] = data.label(order[position + i]);
      }
      for (int place : places) {
        System.arraycopy(loader.next().value(), 0, pixels, place * size, size);
      }
      float[] targets = mixer.mix(pixels, labels, image, request.epoch(), position + batch);
      MicroBatch own = own(pixels, targets, places, order, position, request.epoch());
      batches.add(teacher == null ? own : teacher.extend(own));
    }
    return batches;
  }

  private MicroBatch own(
      float[] pixels, float[] targets, int[] places, int[] order, int position, int epoch) {
    int size = 3 * image.area();
    float[] ownPixels = new float[places.length * size];
    float[] ownTargets = new float[places.length * classes];
    long[] keys = new long[places.length];
    for (int k = 0; k < places.length; k++) {
      int place = places[k];
      System.arraycopy(pixels, place * size, ownPixels, k * size, size);
      System.arraycopy(targets, place * classes, ownTargets, k * classes, classes);
      keys[k] =
          KeyedRandom.key(KeyedRandom.Use.DEPTH, recipe.seed(), epoch, order[position + place]);
    }
    return new MicroBatch(ownPixels, ownTargets, places.length, keys);
  }

  @Override
  public void close() {
    if (expected != null) {
      expected.loader.close();
    }
    data.base().close();
    pool.close();
  }
}
