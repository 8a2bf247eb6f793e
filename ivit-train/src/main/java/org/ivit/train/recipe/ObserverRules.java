package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Node;

/**
 * Which observer a node gets.
 *
 * @param fallback the observer of nodes that no override names; YAML key {@code default}
 * @param wide the observer of those among them that have 16 bits, which hold the rarest value
 *     beside the usual ones; where {@code default} is said, it is theirs too
 * @param overrides in their order; the last one whose pattern matches a node's name wins
 */
public record ObserverRules(
    @JsonProperty("default") ObserverChoice fallback, ObserverChoice wide, List<Rule> overrides) {
  private static final String DEFAULT = "default";

  /**
   * An observer for the nodes of a pattern. In YAML {@code range: [min, max]} stands for the
   * observer {@code fixed}.
   *
   * @param pattern a node name in which {@code *} stands for any characters and {@code ?} for one
   * @param observer their observer
   */
  public record Rule(String pattern, ObserverChoice observer) {}

  /** Copies the list. */
  public ObserverRules {
    overrides = List.copyOf(overrides);
  }

  /** The observer of a node. */
  public ObserverChoice choose(Node node) {
    ObserverChoice choice = node.bits() > 8 ? wide : fallback;
    for (Rule override : overrides) {
      if (NamePattern.matches(override.pattern(), node.name())) {
        choice = override.observer();
      }
    }
    return choice;
  }

  /**
   * @param still whether ranges do not move in training
   */
  static ObserverRules read(Section section, boolean still) {
    ObserverChoice fallback =
        ObserverChoice.read(section, DEFAULT, new ObserverChoice.MovingMinMax(0.95));
    ObserverChoice usual = still && !section.has(DEFAULT) ? new ObserverChoice.MinMax() : fallback;
    ObserverChoice wide = ObserverChoice.read(section, "wide", usual);
    List<Rule> overrides = new ArrayList<>();
    for (Section item : section.sections("overrides")) {
      String pattern = item.text("pattern", null, "a node name, * for any characters");
      List<Double> range = item.numbers("range", null, 2, -1e30, 1e30);
      ObserverChoice observer = ObserverChoice.read(item, "observer", null);
      if ((range == null) == (observer == null)) {
        throw item.bad(range == null ? "observer" : "range", "an observer or a range, one of them");
      }
      if (range != null) {
        if (range.get(1) < range.get(0)) {
          throw item.bad("range", "the smaller end first");
        }
        observer = new ObserverChoice.Fixed(range.get(0), range.get(1));
      }
      item.end();
      overrides.add(new Rule(pattern, observer));
    }
    section.end();
    return new ObserverRules(fallback, wide, overrides);
  }
}
