package org.ivit.core;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Lists names that differ in a number as one: {@code blocks.{0-11}.norm1.weight}. */
public final class NumberedNames {
  private static final Pattern LAST_NUMBER = Pattern.compile("^(.*\\.)(\\d{1,4})(\\..*)$");
  private static final int MOST = 60;

  private NumberedNames() {}

  /**
   * All names, in the order of their first; beyond {@value #MOST} groups, how many more there are.
   *
   * @param names already fit for a message
   */
  public static String list(List<String> names) {
    Map<List<String>, TreeSet<Integer>> groups = new LinkedHashMap<>();
    for (String name : names) {
      Matcher number = LAST_NUMBER.matcher(name);
      if (number.matches()) {
        groups
            .computeIfAbsent(List.of(number.group(1), number.group(3)), g -> new TreeSet<>())
            .add(Integer.parseInt(number.group(2)));
      } else {
        groups.put(List.of(name, ""), new TreeSet<>());
      }
    }
    String first =
        groups.entrySet().stream()
            .limit(MOST)
            .map(group -> name(group.getKey(), group.getValue()))
            .collect(Collectors.joining(", "));
    return groups.size() > MOST ? first + " and " + (groups.size() - MOST) + " more" : first;
  }

  private static String name(List<String> around, SortedSet<Integer> numbers) {
    if (numbers.isEmpty()) {
      return around.get(0);
    }
    String text = numbers.size() == 1 ? numbers.first().toString() : "{" + runs(numbers) + "}";
    return around.get(0) + text + around.get(1);
  }

  private static String runs(SortedSet<Integer> numbers) {
    List<String> runs = new ArrayList<>();
    int from = numbers.first();
    int last = from;
    for (int number : numbers.tailSet(from + 1)) {
      if (number != last + 1) {
        runs.add(run(from, last));
        from = number;
      }
      last = number;
    }
    runs.add(run(from, last));
    return String.join(",", runs);
  }

  private static String run(int from, int to) {
    return from == to ? Integer.toString(from) : from + "-" + to;
  }
}
