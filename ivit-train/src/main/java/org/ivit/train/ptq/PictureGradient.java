package org.ivit.train.ptq;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.augment.KeyedRandom;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.LinearTap;
import org.ivit.train.operator.NetworkParameters;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatOperators;
import org.ivit.train.parameter.PartSpec;

/**
 * Takes a float network forward and back on one picture at a time, in the calling thread, and shows
 * of each linear layer what went into it and the gradient of {@code answer·g} by what came out, g a
 * direction of {@link AnswerNoise}.
 */
final class PictureGradient {
  /** Of the directions, which are thus the same in every run. */
  private static final long SEED = 0;

  private final Answer answer;
  private final List<PartSpec> specs;
  private final List<Operator> operators = new ArrayList<>();
  private final List<Reals> gradients = new ArrayList<>();
  private final List<Reals> values = new ArrayList<>();
  private final List<NetworkParameters.Part> parameters;
  private final Execution execution;

  /**
   * @param architecture sizes
   * @param weights float parameters
   * @param type in what numbers it computes
   * @param tap hears the linear layers of each picture, the last first
   */
  PictureGradient(Architecture architecture, FloatWeights weights, RealType type, LinearTap tap) {
    this(architecture, PartSpec.of(architecture, 0), type, new ArrayList<>(), tap);
    for (int i = 0; i < specs.size(); i++) {
      Reals own = Reals.allocate(type, operators.get(i).layout().size());
      parameters.add(new NetworkParameters.Part(specs.get(i).prefix(), operators.get(i), own));
    }
    new NetworkParameters(architecture, parameters).load(weights);
  }

  /**
   * Another with the parameters of the first, for another thread.
   *
   * @param tap hears it
   */
  PictureGradient(Architecture architecture, PictureGradient first, LinearTap tap) {
    this(architecture, first.specs, first.execution.type(), first.parameters, tap);
  }

  private PictureGradient(
      Architecture architecture,
      List<PartSpec> specs,
      RealType type,
      List<NetworkParameters.Part> parameters,
      LinearTap tap) {
    this.answer = architecture.answer();
    this.specs = specs;
    this.parameters = parameters;
    this.execution = new Execution(new WorkerPool(1), type);
    execution.linearTap(tap);
    values.add(Reals.allocate(type, architecture.pixels()));
    for (PartSpec spec : specs) {
      Operator operator = FloatOperators.of(spec);
      operators.add(operator);
      gradients.add(Reals.allocate(type, operator.layout().size()));
      values.add(Reals.allocate(type, spec.outputs()));
    }
  }

  /**
   * Goes forward and back.
   *
   * @param pixels of a batch
   * @param from where the picture's begin
   * @param picture its number among all, which its direction follows from
   * @param parts runs the backward pass of each part, which shows its linear layers
   * @return the answer
   */
  double[] run(float[] pixels, int from, int picture, Consumer<Runnable> parts) {
    values.get(0).put(0, pixels, from, values.get(0).size());
    int last = operators.size();
    for (int i = 0; i < last; i++) {
      operators.get(i).forward(own(i), values.get(i), values.get(i + 1), 1, true, execution);
    }
    KeyedRandom random = new KeyedRandom(KeyedRandom.Use.ANSWER_NOISE, SEED, picture);
    double[] found = values.get(last).doubles();
    double[] direction = AnswerNoise.of(answer, found, random);
    Reals gradient = Reals.of(execution.type(), direction);
    for (int i = last - 1; i >= 0; i--) {
      int part = i;
      Reals gy = gradient;
      Reals gx = i == 0 ? null : Reals.allocate(execution.type(), values.get(i).size());
      parts.accept(
          () ->
              operators
                  .get(part)
                  .backward(
                      own(part), values.get(part), gy, gx, gradients.get(part), 1, execution));
      gradient = gx;
    }
    return found;
  }

  private Reals own(int part) {
    return parameters.get(part).memory();
  }
}
