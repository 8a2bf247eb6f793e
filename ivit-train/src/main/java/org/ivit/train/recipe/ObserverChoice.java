package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;

/** How the range of a node is found. */
public sealed interface ObserverChoice {
  /** The word of the YAML. */
  @JsonProperty("name")
  String name();

  /**
   * The published observer: {@code r = r·momentum + batch·(1−momentum)} in float32.
   *
   * @param momentum share of the old range that stays, 0.95 as published
   */
  record MovingMinMax(double momentum) implements ObserverChoice {
    @Override
    public String name() {
      return "movingMinMax";
    }
  }

  /** Smallest and largest value ever seen. */
  record MinMax() implements ObserverChoice {
    @Override
    public String name() {
      return "minMax";
    }
  }

  /**
   * The given share of values lies inside, cut off alike at both ends.
   *
   * @param percent 0 to 100, for example 99.99
   */
  record Percentile(double percent) implements ObserverChoice {
    @Override
    public String name() {
      return "percentile";
    }
  }

  /** The clipping value with the smallest mean squared quantization error. */
  record Mse() implements ObserverChoice {
    @Override
    public String name() {
      return "mse";
    }
  }

  /**
   * A range that the user gives.
   *
   * @param min lower end
   * @param max upper end
   */
  record Fixed(double min, double max) implements ObserverChoice {
    @Override
    public String name() {
      return "fixed";
    }
  }

  /** Whether batches change the range. */
  @JsonIgnore
  default boolean observes() {
    return !(this instanceof Fixed);
  }

  /** Reads {@code key: word} or {@code key: {name: word, …}}. */
  static ObserverChoice read(Section parent, String key, ObserverChoice fallback) {
    JsonNode value = parent.get(key);
    if (value == null) {
      return fallback;
    }
    String expected =
        "movingMinMax, minMax, percentile, mse, fixed, or a map with one of them as name";
    if (value.isTextual()) {
      return switch (value.asText()) {
        case "movingMinMax" -> new MovingMinMax(0.95);
        case "minMax" -> new MinMax();
        case "percentile" -> new Percentile(99.99);
        case "mse" -> new Mse();
        default -> throw parent.bad(key, expected);
      };
    }
    if (!value.isObject()) {
      throw parent.bad(key, expected);
    }
    Section section = parent.section(key);
    String name = section.text("name", null, expected);
    ObserverChoice choice =
        switch (name) {
          case "movingMinMax" -> new MovingMinMax(section.number("momentum", 0.95, 0, 1));
          case "minMax" -> new MinMax();
          case "percentile" -> new Percentile(section.number("percent", 99.99, 50, 100));
          case "mse" -> new Mse();
          case "fixed" -> {
            double min = section.number("min", Double.NaN, -1e30, 1e30);
            double max = section.number("max", Double.NaN, -1e30, 1e30);
            if (max < min) {
              throw section.bad("max", "at least min (" + min + ")");
            }
            yield new Fixed(min, max);
          }
          default -> throw section.bad("name", expected);
        };
    section.end();
    return choice;
  }
}
