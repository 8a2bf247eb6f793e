package org.ivit.core.engine.cuda;

import java.util.Arrays;
import java.util.List;
import org.ivit.core.InputException;

/**
 * How much {@link GpuCheck} does.
 *
 * @param mode how many models
 * @param models of the large ones, by name; empty for all
 * @param batches pictures of the passes that are timed
 * @param minutes after which nothing new is begun
 */
record CheckOptions(Mode mode, List<String> models, List<Integer> batches, double minutes) {
  private static final List<Integer> BATCHES = List.of(1, 8, 32, 128);

  /** From all models down to two that an emulation runs quickly. */
  enum Mode {
    FULL,
    QUICK,
    MICRO
  }

  /**
   * Reads {@code quick}, {@code micro}, {@code models=A,B}, {@code batches=1,8}, {@code minutes=N}.
   *
   * @throws InputException for anything else
   */
  static CheckOptions of(List<String> arguments) {
    Mode mode = Mode.FULL;
    List<String> models = List.of();
    List<Integer> batches = BATCHES;
    double minutes = Double.POSITIVE_INFINITY;
    for (String argument : arguments) {
      int equals = argument.indexOf('=');
      String value = argument.substring(equals + 1);
      switch (argument.substring(0, equals < 0 ? argument.length() : equals)) {
        case "quick" -> mode = Mode.QUICK;
        case "micro" -> mode = Mode.MICRO;
        case "models" -> models = List.of(value.split(","));
        case "batches" ->
            batches = Arrays.stream(value.split(",")).map(CheckOptions::positive).toList();
        case "minutes" -> minutes = positive(value);
        default ->
            throw new InputException(
                "'%s': unknown, expected quick, micro, models=, batches= or minutes="
                    .formatted(argument));
      }
    }
    return new CheckOptions(mode, models, batches, minutes);
  }

  private static int positive(String text) {
    try {
      int number = Integer.parseInt(text);
      if (number > 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new InputException("'%s': expected a number from 1".formatted(text));
  }

  boolean full() {
    return mode == Mode.FULL;
  }

  /** Whether a large model is asked for. */
  boolean wants(String model) {
    return models.isEmpty() || models.contains(model);
  }
}
