package org.ivit.train.recipe;

import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.weight.WeightCoding;

/**
 * How many bits weights have. Those of patch embedding and classifiers keep 8 where no override
 * names them.
 *
 * @param bits of a weight: 8, 6, 5 or 4; auto: calibration chooses one of them for each layer that
 *     no override names, so that the answer changes least within {@code size}, or the file becomes
 *     smallest within {@code kl}, and writes them down as overrides
 * @param codes how fewer bits become 8-bit codes; without meaning for 8
 * @param learn whether training moves the grids of fewer bits (tables, multipliers, scales) with
 *     the weights
 * @param size with {@code bits: auto}, what the integer checkpoint may take: bytes, or a number
 *     with kB (1000 bytes) or MB (1000000); of a run that trains less 2 kB, since training moves
 *     what is compressed; null for none
 * @param kl with {@code bits: auto}, what quantization may cost on the calibration pictures: the
 *     mean KL divergence of the integer model's answer from the float model's in nats, of features
 *     1 − cosine; null for none
 * @param overrides in their order; the last one whose pattern matches a layer's name wins
 */
public record WeightRules(
    @JsonSerialize(using = Yaml.AutoForZero.class) int bits,
    WeightCoding codes,
    boolean learn,
    Long size,
    Double kl,
    List<Rule> overrides) {
  /** The usual width. */
  public static final int USUAL_BITS = 8;

  /** Stands for bits that calibration chooses. */
  public static final int AUTO = 0;

  private static final int[] CHOSEN_BITS = {4, 5, 6, USUAL_BITS};
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

  /** Rules without a budget. */
  public WeightRules(int bits, WeightCoding codes, boolean learn, List<Rule> overrides) {
    this(bits, codes, learn, null, null, overrides);
  }

  /** Whether calibration chooses the bits of layers. */
  public boolean automatic() {
    return bits == AUTO;
  }

  /** What a layer may get: one choice, or by rising bits those that calibration has. */
  public List<Choice> candidates(LinearSpec layer) {
    Choice choice = null;
    for (Rule override : overrides) {
      if (ObserverRules.matches(override.pattern(), layer.node().name())) {
        choice = new Choice(override.bits(), override.codes());
      }
    }
    if (choice != null) {
      return List.of(choice);
    }
    boolean kept = layer.input().kind() == NodeKind.PIXELS || layer.node().bits() == LOGIT_BITS;
    if (kept || !automatic()) {
      return List.of(new Choice(kept ? USUAL_BITS : bits, codes));
    }
    List<Choice> all = new ArrayList<>();
    for (int each : CHOSEN_BITS) {
      all.add(new Choice(each, codes));
    }
    return all;
  }

  /**
   * The bits of a layer.
   *
   * @throws IllegalStateException if calibration has to choose them
   */
  public Choice choose(LinearSpec layer) {
    List<Choice> candidates = candidates(layer);
    if (candidates.size() > 1) {
      throw new IllegalStateException(layer.node().name() + ": its bits are not chosen yet");
    }
    return candidates.get(0);
  }

  /**
   * The rules that give chosen layers what was chosen: the bits that most of them have, and an
   * override for each other one.
   *
   * @param chosen by full name of the layer's node, for each layer with several candidates
   */
  public WeightRules resolved(Map<String, Choice> chosen) {
    Map<Integer, Integer> layers = new HashMap<>();
    chosen.values().forEach(choice -> layers.merge(choice.bits(), 1, Integer::sum));
    int usual = USUAL_BITS;
    for (int each : CHOSEN_BITS) {
      if (layers.getOrDefault(each, 0) > layers.getOrDefault(usual, 0)) {
        usual = each;
      }
    }
    int most = usual;
    Stream<Rule> others =
        chosen.entrySet().stream()
            .filter(layer -> layer.getValue().bits() != most)
            .map(layer -> new Rule(layer.getKey(), layer.getValue().bits(), codes));
    return new WeightRules(most, codes, learn, Stream.concat(overrides.stream(), others).toList());
  }

  /** Whether any layer may have fewer bits than usual. */
  public boolean fewer() {
    return bits < USUAL_BITS || overrides.stream().anyMatch(rule -> rule.bits() < USUAL_BITS);
  }

  static WeightRules read(Section section) {
    boolean automatic = section.isText("bits", "auto");
    int bits = AUTO;
    if (!automatic) {
      bits = section.has("bits") ? bits(section, "8, 6, 5 or 4, or auto") : USUAL_BITS;
    }
    WeightCoding codes = section.choice("codes", WeightCoding.GROUP, WeightCoding.class);
    boolean learn = section.flag("learn", true);
    Long size = section.bytes("size");
    Double kl = section.has("kl") ? section.number("kl", Double.NaN, 1e-9, 100) : null;
    if (automatic && size == null && kl == null) {
      throw section.bad("bits", "size or kl beside it");
    }
    if (size != null && kl != null) {
      throw section.bad("kl", "no such key beside size");
    }
    if (!automatic && (size != null || kl != null)) {
      throw section.bad(size == null ? "kl" : "size", "no such key without bits: auto");
    }
    List<Rule> overrides = new ArrayList<>();
    for (Section item : section.sections("overrides")) {
      String pattern = item.text("pattern", null, "a layer's name, * for any characters");
      overrides.add(
          new Rule(
              pattern,
              bits(item, "8, 6, 5 or 4"),
              item.choice("codes", codes, WeightCoding.class)));
      item.end();
    }
    section.end();
    return new WeightRules(bits, codes, learn, size, kl, overrides);
  }

  private static int bits(Section section, String expected) {
    for (int each : CHOSEN_BITS) {
      if (section.isInteger("bits", each)) {
        return each;
      }
    }
    throw section.bad("bits", expected);
  }
}
