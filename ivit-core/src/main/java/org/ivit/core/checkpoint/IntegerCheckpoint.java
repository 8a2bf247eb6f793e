package org.ivit.core.checkpoint;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.PreprocessChange;

/**
 * A frozen model: what an engine computes, and what is needed to use its answers.
 *
 * @param graph the integers
 * @param preprocess how a picture becomes the graph's input
 * @param classes names in the order of the logits; none where the answer is a feature
 * @param provenance where it comes from
 */
public record IntegerCheckpoint(
    IntegerGraph graph, Preprocess preprocess, List<String> classes, Provenance provenance) {
  /**
   * Checks that the parts fit.
   *
   * @throws InputException if the crop is not the model's picture size or the class names are not
   *     as many as its classes
   */
  public IntegerCheckpoint {
    classes = List.copyOf(classes);
    Size image = graph.architecture().image();
    if (!preprocess.crop().equals(image)) {
      throw new InputException(
          "preprocess: crop is %s, expected the model's picture size, %s"
              .formatted(preprocess.crop(), image));
    }
    int channels = graph.architecture().classes();
    if (graph.architecture().answer() == Answer.FEATURES) {
      if (!classes.isEmpty()) {
        throw new InputException(
            "classes: %d names, expected none: the model answers features"
                .formatted(classes.size()));
      }
    } else if (classes.size() != channels) {
      throw new InputException(
          "classes: %d names, expected one for each of the model's %d classes"
              .formatted(classes.size(), channels));
    }
  }

  /** The same with what of the transform is wanted otherwise. */
  public IntegerCheckpoint with(PreprocessChange change) {
    return new IntegerCheckpoint(graph, change.of(preprocess), classes, provenance);
  }
}
