package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where outlier channels come from.
 *
 * @param mode found by the rule of {@code docs/arithmetic.md#outlier-channels}, none, or given
 * @param given by node name, empty unless the mode is {@link Mode#GIVEN}
 */
public record OutlierChoice(Mode mode, Map<String, Channels> given) {

  /** The source of the channels. */
  public enum Mode {
    /**
     * A first calibration pass and the rule of {@code docs/arithmetic.md#outlier-channels} find
     * them.
     */
    AUTO,
    /** No node has outliers. */
    NONE,
    /** The recipe lists them. */
    GIVEN
  }

  /**
   * The outliers of a node.
   *
   * @param channels ascending
   * @param shift their scale is 2^shift times the node's, at least 1
   */
  public record Channels(List<Integer> channels, int shift) {}

  /** Copies the map. */
  public OutlierChoice {
    given = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(given));
  }

  @JsonValue
  Object yaml() {
    return mode == Mode.GIVEN ? given : Section.label(mode);
  }

  static OutlierChoice read(Section parent, String key) {
    String expected = "auto, none, or a map from node to {channels: [...], shift: k}";
    if (!parent.has(key) || parent.isText(key, "auto")) {
      return new OutlierChoice(Mode.AUTO, Map.of());
    }
    if (parent.isText(key, "none")) {
      return new OutlierChoice(Mode.NONE, Map.of());
    }
    if (!parent.isMap(key)) {
      throw parent.bad(key, expected);
    }
    Section section = parent.section(key);
    Map<String, Channels> given = new LinkedHashMap<>();
    for (String node : section.names()) {
      Section item = section.section(node);
      List<Integer> channels = item.integers("channels").stream().sorted().distinct().toList();
      given.put(node, new Channels(channels, item.integer("shift", 0, 1, 16)));
      item.end();
    }
    return new OutlierChoice(Mode.GIVEN, given);
  }
}
