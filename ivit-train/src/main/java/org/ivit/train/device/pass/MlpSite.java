package org.ivit.train.device.pass;

import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Node;

/**
 * An MLP with the norm before it and the residual addition behind it, as a block has it and an
 * attention pooling.
 *
 * @param tokens of a picture
 * @param norm of the stream
 * @param epsilon of the norm in the float model
 * @param fc1 first product; the gate of a gated MLP
 * @param activation between the products; null in a gated MLP
 * @param gated the block of a gated MLP; null of a plain one
 * @param fc2 second product
 * @param residual the stream after the addition
 */
public record MlpSite(
    int tokens,
    Node norm,
    double epsilon,
    LinearSpec fc1,
    ActivationSpec activation,
    Block gated,
    LinearSpec fc2,
    Node residual) {
  /** That of a block. */
  public static MlpSite of(Block block) {
    return new MlpSite(
        block.tokens(),
        block.norm2(),
        block.epsilon(),
        block.fc1Linear(),
        block.gated() ? null : block.activations().get(0),
        block.gated() ? block : null,
        block.fc2Linear(),
        block.residual2());
  }

  /** That of an attention pooling. */
  public static MlpSite of(AttentionPooling pooling) {
    return new MlpSite(
        1,
        pooling.norm2(),
        pooling.epsilon(),
        pooling.fc1Linear(),
        pooling.act(),
        null,
        pooling.fc2Linear(),
        pooling.residual());
  }

  /** Channels before and behind it. */
  public int dim() {
    return fc1.inputs();
  }

  /** Channels between the products. */
  public int hidden() {
    return fc1.outputs();
  }

  /** Numbers of a picture before and behind it. */
  public int size() {
    return tokens * dim();
  }
}
