package org.ivit.train.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * Where a run stands.
 *
 * @param step updates so far
 * @param epoch the epoch that goes on or is about to begin, from 0
 * @param position pictures of the epoch's order that are used up
 * @param bestTop1 best share of right answers in validation so far, or best mean cosine of features
 *     to the teacher's; −1 before the first
 * @param bestStep step of that validation, −1 before the first
 * @param data hash of the list of training pictures
 * @param teacher hash of the teacher's weights, empty without distillation
 * @param finished whether the run is over
 */
public record TrainingState(
    int step,
    int epoch,
    int position,
    double bestTop1,
    int bestStep,
    String data,
    String teacher,
    boolean finished) {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES);

  /** The beginning of a run. */
  public static TrainingState start(String data, String teacher) {
    return new TrainingState(0, 0, 0, -1, -1, data, teacher, false);
  }

  /** After an update in an epoch. */
  public TrainingState stepped(int currentEpoch, int used) {
    return new TrainingState(
        step + 1, currentEpoch, used, bestTop1, bestStep, data, teacher, finished);
  }

  /** Before the first picture of an epoch. */
  public TrainingState atEpoch(int next) {
    return new TrainingState(step, next, 0, bestTop1, bestStep, data, teacher, finished);
  }

  /** After a validation: the better of two, the earlier where they are equal. */
  public TrainingState validated(double top1) {
    boolean best = top1 > bestTop1;
    return new TrainingState(
        step,
        epoch,
        position,
        best ? top1 : bestTop1,
        best ? step : bestStep,
        data,
        teacher,
        finished);
  }

  /** The end of the run. */
  public TrainingState finish() {
    return new TrainingState(step, epoch, position, bestTop1, bestStep, data, teacher, true);
  }

  String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  static TrainingState parse(String source, String text) {
    try {
      return JSON.readValue(text, TrainingState.class);
    } catch (JsonProcessingException e) {
      throw new InputException(source + ": " + MessageText.problem(e), e);
    }
  }
}
