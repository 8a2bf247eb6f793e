package org.ivit.train.ptq.bits;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.architecture.Answer;
import org.ivit.train.recipe.WeightRules;

/**
 * The bits that calibration chose for layers.
 *
 * @param rules that say the same without choosing
 * @param layers what each layer got, by full name of its node, in the network's order
 * @param bytes of the checkpoint file
 * @param answer what the model answers with
 * @param estimate what rounding these layers is thought to cost: KL divergence in nats, of features
 *     1 − cosine
 * @param found what the integer model costs on the calibration pictures, in the same measure; NaN
 *     where it was not asked
 */
public record ChosenBits(
    WeightRules rules,
    Map<String, WeightRules.Choice> layers,
    long bytes,
    Answer answer,
    double estimate,
    double found) {
  private static final String HEADING = "bits of";
  private static final Pattern NUMBERED = Pattern.compile("(.*\\.\\d+)\\.(.*)");

  /** The outcome in a line. */
  public String summary() {
    String measure = answer == Answer.FEATURES ? "1 \u2212 cosine" : "KL";
    String line =
        String.format(
            Locale.ROOT,
            "%d bytes; rounding these layers is estimated at %s %.4f",
            bytes,
            measure,
            estimate);
    return Double.isNaN(found)
        ? line
        : line
            + String.format(
                Locale.ROOT, ", the integer model has %.4f on the calibration pictures", found);
  }

  /** A line a block, a column a kind of layer. */
  public List<String> table() {
    Map<String, Map<String, Integer>> rows = new LinkedHashMap<>();
    Set<String> columns = new LinkedHashSet<>();
    layers.forEach(
        (name, choice) -> {
          Matcher numbered = NUMBERED.matcher(name);
          boolean block = numbered.matches();
          int dot = name.indexOf('.');
          String row = block ? numbered.group(1) : dot < 0 ? name : name.substring(0, dot);
          String column = block ? numbered.group(2) : name.substring(dot + 1);
          columns.add(column);
          rows.computeIfAbsent(row, key -> new LinkedHashMap<>()).put(column, choice.bits());
        });
    int width = rows.keySet().stream().mapToInt(String::length).max().orElse(0);
    String first = "%-" + Math.max(width, HEADING.length()) + "s";
    List<String> lines = new ArrayList<>();
    lines.add(first.formatted(HEADING) + "  " + String.join("  ", columns));
    rows.forEach(
        (row, bits) -> {
          StringBuilder line = new StringBuilder(first.formatted(row));
          for (String column : columns) {
            Object cell = bits.containsKey(column) ? bits.get(column) : "";
            line.append("  ").append(("%" + column.length() + "s").formatted(cell));
          }
          lines.add(line.toString().stripTrailing());
        });
    return lines;
  }
}
