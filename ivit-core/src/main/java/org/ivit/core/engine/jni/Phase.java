package org.ivit.core.engine.jni;

/**
 * How much of a step a call does: {@code enum ivit_phase} in {@code model.h}. All but {@link
 * #WHOLE} are of a block.
 */
enum Phase {
  /** All of a step, by rows; of a head by panels of its classes. */
  WHOLE(0),
  /** Attention, by rows and heads. */
  ATTEND(1),
  /** All that follows it, by rows: in place of the phases below. */
  FINISH(2),
  /** Projection and residual, by rows and panels, as are all below. */
  PROJECT(3),
  /** Norm, first layer of the MLP, GELU or gating. */
  EXPAND(4),
  /** Norm of what was gated, where there is one, second layer and residual. */
  CONTRACT(5),
  /** What the next block does before its attention. */
  BEGIN(6);

  /** What the native side calls it. */
  final int code;

  Phase(int code) {
    this.code = code;
  }
}
