package org.ivit.core.model;

import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.Backend;
import org.ivit.core.image.Preprocess;

/**
 * What is known of a model and of what runs it.
 *
 * @param name of the architecture, such as {@code deit_tiny_patch16_224}
 * @param family of the architecture, such as {@code vit}
 * @param answer what it answers with
 * @param classes in the order of the logits; none where it answers with features
 * @param outputs number of classes, or channels of a feature
 * @param outputScale what one of the integers is worth that it answers with
 * @param inputSize height and width of the picture that it sees, in pixels
 * @param inputScale what one of its 8-bit input codes is worth
 * @param preprocess how a picture becomes its input
 * @param provenance where it comes from
 * @param engine name of the engine, such as {@code cpu}
 * @param backend kernels (instruction set), processor and threads of the engine
 */
public record ModelInfo(
    String name,
    String family,
    Answer answer,
    List<ClassLabel> classes,
    int outputs,
    float outputScale,
    Size inputSize,
    float inputScale,
    Preprocess preprocess,
    Provenance provenance,
    String engine,
    Backend backend) {
  /** Copies. */
  public ModelInfo {
    classes = List.copyOf(classes);
  }
}
