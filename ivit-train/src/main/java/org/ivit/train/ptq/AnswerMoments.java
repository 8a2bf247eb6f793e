package org.ivit.train.ptq;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.OpenBlasGemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;

/**
 * Means and second moments of what goes into linear layers of the float network. Of a picture's
 * rows each counts by what its token does to the answer: the mean square over the layer's outputs
 * of the gradient of the answer along a random direction ({@link AnswerNoise}).
 */
final class AnswerMoments {
  /** Share of a picture's weight that is the same for all of its rows. */
  private static final double UNIFORM = 0.3;

  /** Pictures that are in the network at once: each holds its activations. */
  private static final int MOST_PICTURES = 16;

  private final Map<String, SecondMoment> moments = new HashMap<>();

  /** By layer, of those that are compared. */
  private final Map<String, AnswerReach> reaches = new HashMap<>();

  private double[][] answers = {};

  /**
   * @param layers whose inputs are wanted
   * @param compared those of which it is wanted too what noise at their outputs costs
   */
  AnswerMoments(Collection<LinearSpec> layers, Collection<LinearSpec> compared) {
    Gemm gemm = new OpenBlasGemm();
    for (LinearSpec layer : layers) {
      moments.put(layer.parameters(), new SecondMoment(layer.inputs(), gemm));
    }
    for (LinearSpec layer : compared) {
      reaches.put(layer.parameters(), new AnswerReach(layer.outputs(), gemm));
    }
  }

  /**
   * Adds pictures. The same pictures give the same bits with any number of threads.
   *
   * @param architecture of the network
   * @param weights float parameters
   * @param batches normalised pixels, [pictures][3][height][width] each
   * @param pool as many pictures are in the network as it has threads
   * @param done hears of each batch, from several threads
   */
  void add(
      Architecture architecture,
      FloatWeights weights,
      List<float[]> batches,
      WorkerPool pool,
      Runnable done) {
    record Place(float[] batch, int from) {}
    int size = architecture.pixels();
    List<Place> pictures =
        batches.stream()
            .flatMap(
                batch ->
                    IntStream.range(0, batch.length / size)
                        .mapToObj(i -> new Place(batch, i * size)))
            .toList();
    int before = answers.length;
    answers = Arrays.copyOf(answers, before + pictures.size());
    OrderedSteps steps = new OrderedSteps(pictures.size());
    PictureGradient first = new PictureGradient(architecture, weights, RealType.FLOAT32, this::add);
    ConcurrentLinkedQueue<PictureGradient> free = new ConcurrentLinkedQueue<>(List.of(first));
    try (WorkerPool lanes = new WorkerPool(Math.min(MOST_PICTURES, pool.threads()))) {
      lanes.run(
          pictures.size(),
          i -> {
            PictureGradient idle = free.poll();
            PictureGradient lane =
                idle == null ? new PictureGradient(architecture, first, this::add) : idle;
            Place place = pictures.get(i);
            steps.run(
                i,
                () ->
                    answers[before + i] =
                        lane.run(place.batch, place.from, i, part -> steps.step(i, part)));
            free.add(lane);
            if (place.from + size == place.batch.length) {
              done.run();
            }
          });
    }
  }

  private void add(LinearSpec layer, Reals x, Reals gy, int gyFrom, int rows) {
    SecondMoment moment = moments.get(layer.parameters());
    if (moment != null) {
      double[] weights = squares(gy, gyFrom, rows, layer.outputs());
      double mean = Arrays.stream(weights).average().orElse(0);
      for (int r = 0; r < rows; r++) {
        weights[r] = UNIFORM + (1 - UNIFORM) * (mean > 0 ? weights[r] / mean : 1);
      }
      moment.add(x, weights);
      AnswerReach reach = reaches.get(layer.parameters());
      if (reach != null) {
        reach.add(moment.centred(x, rows), new RealMatrix(gy, gyFrom, rows, layer.outputs()));
      }
    }
  }

  /** Mean square of each row. */
  static double[] squares(Reals gy, int from, int rows, int outputs) {
    double[] squares = new double[rows];
    double[] row = new double[outputs];
    for (int r = 0; r < rows; r++) {
      gy.get(from + r * outputs, row, 0, outputs);
      for (double g : row) {
        squares[r] += g * g / outputs;
      }
    }
    return squares;
  }

  /** What was seen of a layer's inputs. */
  SecondMoment of(LinearSpec layer) {
    return moments.get(layer.parameters());
  }

  /**
   * What noise at the outputs of a layer costs.
   *
   * @param layer one of those that are compared
   * @return [outputs], as {@link AnswerReach#costs} says
   */
  double[] outputCosts(LinearSpec layer) {
    return reaches.get(layer.parameters()).costs(answers.length);
  }

  /** The float network's answers, logits or features, a picture each in the order of adding. */
  double[][] answers() {
    return answers;
  }
}
