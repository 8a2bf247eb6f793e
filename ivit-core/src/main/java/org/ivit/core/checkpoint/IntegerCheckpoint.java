package org.ivit.core.checkpoint;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;

/**
 * A frozen model: what an engine computes, and what is needed to use its answers.
 *
 * @param graph the integers
 * @param preprocess how a picture becomes the graph's input
 * @param classes names in the order of the logits
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
    boolean named = graph.architecture().answer() == Answer.CLASSES;
    int expected = named ? graph.architecture().classes() : 0;
    if (classes.size() != expected) {
      throw new InputException(
          "classes: %d names, expected one for each of the model's %d classes"
              .formatted(classes.size(), expected));
    }
  }
}
