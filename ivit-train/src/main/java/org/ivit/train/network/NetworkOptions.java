package org.ivit.train.network;

import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.RealType;
import org.ivit.train.parameter.GridForm;

/**
 * What a network is built from.
 *
 * @param architecture sizes
 * @param scheme how it is quantized; null for floating point
 * @param type number type of parameters, gradients and of the arrays between layers
 * @param seed of the initial weights
 * @param optimizer how weights move; null for a network that is not trained
 * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first, as in timm
 * @param distillationWeight share of the teacher in the loss, 0 to 1
 * @param distillationTemperature temperature of the distillation
 * @param grids forms of the grids of weights of fewer bits, by name of the weight; empty in
 *     floating point
 */
public record NetworkOptions(
    Architecture architecture,
    Scheme scheme,
    RealType type,
    long seed,
    AdamW optimizer,
    double stochasticDepth,
    double distillationWeight,
    double distillationTemperature,
    Map<String, GridForm> grids) {

  /** A network whose weights have 8 bits. */
  public NetworkOptions(
      Architecture architecture,
      Scheme scheme,
      RealType type,
      long seed,
      AdamW optimizer,
      double stochasticDepth,
      double distillationWeight,
      double distillationTemperature) {
    this(
        architecture,
        scheme,
        type,
        seed,
        optimizer,
        stochasticDepth,
        distillationWeight,
        distillationTemperature,
        Map.of());
  }

  /**
   * A network that is not trained.
   *
   * @param architecture sizes
   * @param scheme how it is quantized; null for floating point
   */
  public static NetworkOptions inference(Architecture architecture, Scheme scheme) {
    return new NetworkOptions(architecture, scheme, RealType.FLOAT32, 0, null, 0, 0, 1);
  }

  /** This with another number type. */
  public NetworkOptions withType(RealType other) {
    return new NetworkOptions(
        architecture,
        scheme,
        other,
        seed,
        optimizer,
        stochasticDepth,
        distillationWeight,
        distillationTemperature,
        grids);
  }

  /** This with weights of fewer bits. */
  public NetworkOptions withGrids(Map<String, GridForm> forms) {
    return new NetworkOptions(
        architecture,
        scheme,
        type,
        seed,
        optimizer,
        stochasticDepth,
        distillationWeight,
        distillationTemperature,
        forms);
  }
}
