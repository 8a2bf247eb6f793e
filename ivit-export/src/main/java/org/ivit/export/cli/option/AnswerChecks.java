package org.ivit.export.cli.option;

import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.export.model.Model;

/** Which commands take which models. */
public final class AnswerChecks {
  private AnswerChecks() {}

  /**
   * Requires classes.
   *
   * @throws InputException if the model answers with features: says what to use instead
   */
  public static void classes(Model model) {
    if (model.answer() != Answer.CLASSES) {
      throw new InputException(
          model.identity().path()
              + ": answers with features, expected a model with classes (ivit embed writes features,"
              + " ivit evaluate --gallery or --class-embeddings makes classes of them)");
    }
  }

  /**
   * Requires features.
   *
   * @throws InputException if the model answers with classes: says what to use instead
   */
  public static void features(Model model) {
    if (model.answer() != Answer.FEATURES) {
      throw new InputException(
          model.identity().path()
              + ": answers with classes, expected a model that answers with features (ivit predict and"
              + " ivit evaluate take this one)");
    }
  }

  /**
   * Requires a model to answer as another does.
   *
   * @param option that names the model, as the message begins
   * @throws InputException if it does not
   */
  public static void same(String option, Path path, Model model, Model other) {
    int width = model.architecture().classes();
    int expected = other.architecture().classes();
    boolean features = model.answer() == Answer.FEATURES;
    if (model.answer() != other.answer() || (features && width != expected)) {
      throw new InputException(
          "%s: %s: answers with %s, expected %s as %s"
              .formatted(
                  option,
                  path,
                  described(model.answer(), width),
                  described(other.answer(), expected),
                  other.identity().path()));
    }
  }

  private static String described(Answer answer, int width) {
    return answer == Answer.FEATURES ? "features " + width + " wide" : width + " " + answer;
  }
}
