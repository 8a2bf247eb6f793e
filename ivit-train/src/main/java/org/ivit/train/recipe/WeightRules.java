package org.ivit.train.recipe;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.weight.WeightCoding;

/**
 * How many bits weights have. Those of patch embedding and classifiers keep 8 where no override
 * names them.
 *
 * @param bits of a weight: 8, 6, 5 or 4
 * @param codes how fewer bits become 8-bit codes; without meaning for 8
 * @param learn whether training moves the grids of fewer bits (tables, multipliers, scales) with
 *     the weights
 * @param overrides in their order; the last one whose pattern matches a layer's name wins
 */
public record WeightRules(int bits, WeightCoding codes, boolean learn, List<Rule> overrides) {
  /** The usual width. */
  public static final int USUAL_BITS = 8;

  private static final int LEAST_BITS = 4;
  private static final int LOGIT_BITS = 32;

  /**
   * The bits of layers of a pattern.
   *
   * @param pattern the name of a linear layer, such as {@code blocks.3.attn.qkv}, in which {@code
   *     *} stands for any characters and {@code ?} for one
   * @param bits of a weight: 8, 6, 5 or 4
   * @param codes how fewer bits become 8-bit codes
   */
  public record Rule(String pattern, int bits, WeightCoding codes) {}

  /**
   * What a layer gets.
   *
   * @param bits of a weight
   * @param codes how fewer bits become 8-bit codes
   */
  public record Choice(int bits, WeightCoding codes) {
    /** Whether weights have fewer bits than usual. */
    public boolean fewer() {
      return bits < USUAL_BITS;
    }
  }

  /** Copies the list. */
  public WeightRules {
    overrides = List.copyOf(overrides);
  }

  /** The bits of a layer. */
  public Choice choose(LinearSpec layer) {
    boolean kept = layer.input().kind() == NodeKind.PIXELS || layer.node().bits() == LOGIT_BITS;
    Choice choice = new Choice(kept ? USUAL_BITS : bits, codes);
    for (Rule override : overrides) {
      if (ObserverRules.matches(override.pattern(), layer.node().name())) {
        choice = new Choice(override.bits(), override.codes());
      }
    }
    return choice;
  }

  /** Whether any layer may have fewer bits than usual. */
  public boolean fewer() {
    return bits < USUAL_BITS || overrides.stream().anyMatch(rule -> rule.bits() < USUAL_BITS);
  }

  static WeightRules read(Section section) {
    int bits = bits(section, USUAL_BITS);
    WeightCoding codes = section.choice("codes", WeightCoding.GROUP, WeightCoding.class);
    boolean learn = section.flag("learn", true);
    List<Rule> overrides = new ArrayList<>();
    for (Section item : section.sections("overrides")) {
      String pattern = item.text("pattern", null, "a layer's name, * for any characters");
      overrides.add(
          new Rule(pattern, bits(item, 0), item.choice("codes", codes, WeightCoding.class)));
      item.end();
    }
    section.end();
    return new WeightRules(bits, codes, learn, overrides);
  }

  private static int bits(Section section, int fallback) {
    int bits = section.integer("bits", fallback, LEAST_BITS, USUAL_BITS);
    if (bits == USUAL_BITS - 1) {
      throw section.bad("bits", "8, 6, 5 or 4");
    }
    return bits;
  }
}
