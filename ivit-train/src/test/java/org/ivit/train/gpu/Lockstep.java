package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepVector;

/**
 * Steps on a device beside those on the processor, each from the processor's state, so that
 * roundings do not add up: what is seen of every node is equal, and so are all codes; gradients and
 * moves agree to the rounding of the products.
 */
final class Lockstep {
  private static final double LOSS = 1e-5;

  /** Of the moves: where a gradient is near 0, rounding decides the sign of a first move. */
  private static final double MOVE = 0.02;

  private boolean seen = true;
  private double loss;
  private double gradient;
  private double move;

  /** How far gradients may be apart, as a share of their length. */
  private static double most(ProductPrecision precision) {
    return switch (precision) {
      case FLOAT32 -> 1e-5;
      case TF32 -> 1e-2;
      case BF16 -> 8e-2;
    };
  }

  /**
   * Takes steps.
   *
   * @param host run on the processor
   * @param device of the same start
   * @param row receives the largest differences
   * @return whether they are as they may be
   */
  boolean agrees(
      StepRun host, StepRun device, ProductPrecision precision, int steps, ObjectNode row) {
    for (int step = 0; step < steps; step++) {
      float[] before = host.read(StepVector.PARAMETERS);
      StepResult expected = host.step();
      StepResult found = device.step();
      seen &= found.seen().equals(expected.seen());
      loss = worst(loss, Distance.of(found.loss(), expected.loss()));
      gradient = worst(gradient, distance(StepVector.GRADIENTS, host, device));
      move =
          worst(
              move,
              Distance.of(
                  moves(device.read(StepVector.PARAMETERS), before),
                  moves(host.read(StepVector.PARAMETERS), before)));
      StepState.of(host).restore(device);
    }
    row.put("steps", steps).put("ranges_equal", seen);
    row.put("loss", loss).put("gradient", gradient).put("move", move);
    boolean moved = precision != ProductPrecision.FLOAT32 || move <= MOVE;
    return seen && loss <= LOSS && gradient <= most(precision) && moved;
  }

  private static double distance(StepVector vector, StepRun host, StepRun device) {
    return Distance.of(device.read(vector), host.read(vector));
  }

  private static float[] moves(float[] after, float[] before) {
    float[] moves = Arrays.copyOf(after, after.length);
    for (int i = 0; i < moves.length; i++) {
      moves[i] -= before[i];
    }
    return moves;
  }

  /** The larger one; what is no number is the worst. */
  private static double worst(double a, double b) {
    return Double.isNaN(b) ? Double.POSITIVE_INFINITY : Math.max(a, b);
  }
}
