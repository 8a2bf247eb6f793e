package org.ivit.train.device.integer;

import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;

/** What lies between an MLP's norm and its last product, on the device. */
interface DeviceHidden extends AutoCloseable {
  /** Quantizes its weights for this step. */
  void quantize(Pass pass, Reals weights, NodeScales scales);

  /** Builds its nodes of this step. */
  void build(Pass pass, NodeBuilder nodes, NodeScales scales);

  /** Hands their constants to the upload. */
  void prepare(Pass pass, Reals weights);

  /**
   * What its codes stand for beside their scale, in units of a code, by channel; null for nothing.
   */
  double[] offsets();

  /** Brings weights into the forms that products read. */
  void load(Pass pass);

  /**
   * @param normed address of the norm's codes, [rows][dim]; they last until the way back
   * @return address of codes, [rows][hidden], which last until the way back
   */
  long forward(Pass pass, long normed, int rows);

  /**
   * @param normed as of the forward pass
   * @param gradient by the codes, [rows][hidden]; its memory is free afterwards
   * @param gNorm receives that by the norm, [rows][dim]
   */
  void backward(Pass pass, long normed, long gradient, long gNorm, int rows);

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen);

  @Override
  void close();
}
