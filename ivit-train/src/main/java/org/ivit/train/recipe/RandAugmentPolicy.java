package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonValue;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a RandAugment does to a picture, in timm's words: {@code rand-m9-mstd0.5-inc1}. After {@code
 * rand}, in any order: {@code mINTEGER} magnitude (10), {@code nINTEGER} operations a picture (2),
 * {@code pNUMBER} probability of each (0.5), {@code mstdNUMBER} deviation of the magnitude (0; over
 * 100: uniform from 0 to the magnitude), {@code mmaxINTEGER} largest magnitude (10), {@code inc0}
 * or {@code inc1} whether strengths increase with the magnitude (0). timm takes {@code inc0} for
 * {@code inc1}; its choices of operations, {@code t} and {@code w}, are not here.
 *
 * @param magnitude mean magnitude
 * @param layers operations a picture
 * @param probability that an operation is applied
 * @param deviation standard deviation of the magnitude
 * @param largest magnitudes are cut to [0, largest]
 * @param increasing whether a larger magnitude is always a stronger change
 */
public record RandAugmentPolicy(
    int magnitude,
    int layers,
    double probability,
    double deviation,
    int largest,
    boolean increasing) {
  /** What the words are, for messages. */
  static final String EXPECTED =
      "a RandAugment such as rand-m9-mstd0.5-inc1 (rand, then m, n, p, mstd, mmax, inc with their"
          + " numbers), or none";

  private static final double UNIFORM_FROM = 100;
  private static final int LIMIT = 100;
  private static final Pattern WORD = Pattern.compile("([a-z]+)([0-9]+(?:\\.[0-9]+)?)");

  /** All its words, as {@link #parse} reads them. */
  @JsonValue
  public String text() {
    return "rand-m%d-n%d-p%s-mstd%s-mmax%d-inc%d"
        .formatted(
            magnitude, layers, plain(probability), plain(deviation), largest, increasing ? 1 : 0);
  }

  private static String plain(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }

  /** Whether magnitudes are uniform from 0 to {@link #magnitude} instead of normal. */
  public boolean uniform() {
    return deviation > UNIFORM_FROM;
  }

  /**
   * Reads a policy.
   *
   * @param text as timm writes it
   * @throws IllegalArgumentException saying which word cannot be read
   */
  public static RandAugmentPolicy parse(String text) {
    String[] words = text.split("-", -1);
    if (!words[0].equals("rand")) {
      throw new IllegalArgumentException("\"" + words[0] + "\" instead of \"rand\"");
    }
    RandAugmentPolicy policy = new RandAugmentPolicy(10, 2, 0.5, 0, 10, false);
    Set<String> seen = new HashSet<>();
    for (int i = 1; i < words.length; i++) {
      Matcher word = WORD.matcher(words[i]);
      if (!word.matches() || !seen.add(word.group(1))) {
        throw new IllegalArgumentException("\"" + words[i] + "\"");
      }
      policy = policy.with(words[i], word.group(1), Double.parseDouble(word.group(2)));
    }
    return policy;
  }

  private RandAugmentPolicy with(String word, String key, double value) {
    return switch (key) {
      case "m" ->
          new RandAugmentPolicy(
              whole(word, value, LIMIT), layers, probability, deviation, largest, increasing);
      case "n" ->
          new RandAugmentPolicy(
              magnitude, whole(word, value, LIMIT), probability, deviation, largest, increasing);
      case "p" ->
          new RandAugmentPolicy(
              magnitude, layers, upTo(word, value, 1), deviation, largest, increasing);
      case "mstd" ->
          new RandAugmentPolicy(magnitude, layers, probability, value, largest, increasing);
      case "mmax" ->
          new RandAugmentPolicy(
              magnitude, layers, probability, deviation, whole(word, value, LIMIT), increasing);
      case "inc" ->
          new RandAugmentPolicy(
              magnitude, layers, probability, deviation, largest, whole(word, value, 1) == 1);
      default -> throw new IllegalArgumentException("\"" + word + "\"");
    };
  }

  private static int whole(String word, double value, int most) {
    if (value != Math.rint(value)) {
      throw new IllegalArgumentException("\"" + word + "\", which is no integer");
    }
    return (int) upTo(word, value, most);
  }

  private static double upTo(String word, double value, int most) {
    if (value > most) {
      throw new IllegalArgumentException("\"" + word + "\", which is over " + most);
    }
    return value;
  }
}
