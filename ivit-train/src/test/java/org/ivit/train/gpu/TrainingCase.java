package org.ivit.train.gpu;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.weight.WeightCoding;
import org.ivit.train.operator.CrossEntropy;
import org.ivit.train.parameter.GridPoints;
import org.ivit.train.parameter.GridWeights;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.StepSettings;

/**
 * Where steps begin, and their pictures.
 *
 * @param name for people
 * @param architecture sizes
 * @param scheme how the network is quantized
 * @param drop rate of stochastic depth
 * @param loss weight and temperature of the distillation
 * @param weights by timm name
 * @param ranges by full node name
 * @param steps pictures of the steps, which take turns
 * @param learningRate of every step
 */
public record TrainingCase(
    String name,
    Architecture architecture,
    Scheme scheme,
    double drop,
    CrossEntropy loss,
    FloatWeights weights,
    Map<String, Range> ranges,
    List<StepPictures> steps,
    double learningRate) {
  /** Decay of the moving average. */
  static final double AVERAGE = 0.9;

  /** With the ranges of the first step's pictures, at most eight of them. */
  static TrainingCase calibrated(
      String name,
      Architecture architecture,
      Scheme scheme,
      double drop,
      CrossEntropy loss,
      FloatWeights weights,
      List<StepPictures> steps,
      double learningRate) {
    ObservingForward calibration =
        new ObservingForward(
            architecture,
            weights,
            scheme,
            new PortableMatrixProducts(WorkerPool.shared()),
            new PublishedObserver());
    StepPictures first = steps.get(0);
    int pictures = Math.min(8, first.pictures());
    float[] pixels = java.util.Arrays.copyOf(first.pixels(), pictures * architecture.pixels());
    calibration.run(pixels, pictures);
    return new TrainingCase(
        name, architecture, scheme, drop, loss, weights, calibration.ranges(), steps, learningRate);
  }

  /** Normally distributed weights, norms' factors around 1. */
  static FloatWeights weights(
      Architecture architecture, SplittableRandom random, double deviation) {
    Map<String, float[]> weights = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int size = 1;
              for (long n : shape) {
                size *= (int) n;
              }
              float[] values = normal(random, size, deviation);
              boolean factor = name.contains("norm") && name.endsWith(".weight");
              for (int i = 0; factor && shape.length == 1 && i < size; i++) {
                values[i] += 1;
              }
              weights.put(name, values);
            });
    return new FloatWeights(weights, Map.of());
  }

  static float[] normal(SplittableRandom random, int n, double deviation) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return values;
  }

  /** The same at another rate. */
  TrainingCase withLearningRate(double rate) {
    return new TrainingCase(name, architecture, scheme, drop, loss, weights, ranges, steps, rate);
  }

  /**
   * The same with weights on grids.
   *
   * @param coding of an index
   * @param bits of it
   */
  TrainingCase onGrids(WeightCoding coding, int bits) {
    return new TrainingCase(
        "%s, %d bits by %s".formatted(name, bits, coding.key()),
        architecture,
        scheme,
        drop,
        loss,
        GridWeights.of(weights, architecture, coding, bits),
        ranges,
        steps,
        learningRate);
  }

  /** The same by another name. */
  TrainingCase withName(String other) {
    return new TrainingCase(
        other, architecture, scheme, drop, loss, weights, ranges, steps, learningRate);
  }

  /** The same with other pictures. */
  TrainingCase withSteps(List<StepPictures> others) {
    return new TrainingCase(
        name, architecture, scheme, drop, loss, weights, ranges, others, learningRate);
  }

  /** The pictures of a step. */
  StepPictures pictures(int step) {
    return steps.get(step % steps.size());
  }

  /** How steps are taken. */
  StepSettings settings() {
    return new StepSettings(drop, loss, AVERAGE, GridPoints.forms(weights.grids(), true));
  }

  /** How a step moves. */
  AdamSettings adam(int step) {
    return new AdamSettings(learningRate, 0.05, 0.9, 0.999, 1e-8, step, 1);
  }
}
