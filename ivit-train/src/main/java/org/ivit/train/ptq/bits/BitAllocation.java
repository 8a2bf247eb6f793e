package org.ivit.train.ptq.bits;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses one of several options for each layer, so that few bytes cost little. Of a layer only the
 * options on the lower convex hull of cost over bytes are taken: those that are best for some price
 * of a byte.
 */
public final class BitAllocation {
  /**
   * What a layer may have.
   *
   * @param bytes that it takes
   * @param cost not negative
   */
  public record Option(long bytes, double cost) {}

  /**
   * From an option of a layer to the next one of its hull.
   *
   * @param saved cost a byte
   */
  private record Step(int layer, int from, int to, double saved) {}

  private final List<List<Option>> layers;
  private final int[] smallest;

  /** Steps by what a byte saves, most first; those of a layer are in their order. */
  private final List<Step> steps = new ArrayList<>();

  /**
   * @param layers options of each layer, at least one
   */
  public BitAllocation(List<List<Option>> layers) {
    this.layers = layers;
    this.smallest = new int[layers.size()];
    for (int layer = 0; layer < smallest.length; layer++) {
      List<Integer> hull = hull(layers.get(layer));
      smallest[layer] = hull.get(0);
      for (int i = 1; i < hull.size(); i++) {
        int from = hull.get(i - 1);
        int to = hull.get(i);
        steps.add(new Step(layer, from, to, slope(layers.get(layer), from, to)));
      }
    }
    steps.sort(Comparator.comparingDouble((Step step) -> -step.saved));
  }

  /** Options by rising bytes and falling cost, each step saving less a byte than the one before. */
  private static List<Integer> hull(List<Option> options) {
    Integer[] order = new Integer[options.size()];
    Arrays.setAll(order, i -> i);
    Arrays.sort(
        order,
        Comparator.comparingLong((Integer i) -> options.get(i).bytes)
            .thenComparingDouble(i -> options.get(i).cost));
    List<Integer> hull = new ArrayList<>();
    for (int next : order) {
      if (!hull.isEmpty() && options.get(next).cost >= options.get(last(hull)).cost) {
        continue;
      }
      while (hull.size() > 1
          && slope(options, last(hull), next)
              >= slope(options, hull.get(hull.size() - 2), last(hull))) {
        hull.remove(hull.size() - 1);
      }
      hull.add(next);
    }
    return hull;
  }

  private static int last(List<Integer> hull) {
    return hull.get(hull.size() - 1);
  }

  private static double slope(List<Option> options, int from, int to) {
    Option small = options.get(from);
    Option large = options.get(to);
    return (small.cost - large.cost) / (large.bytes - small.bytes);
  }

  /** The option of each layer that takes fewest bytes. */
  public int[] smallest() {
    return smallest.clone();
  }

  /**
   * Little cost within a number of bytes: the steps that save most a byte, as long as they fit.
   *
   * @param most bytes of all layers
   * @return the option of each layer; {@link #smallest} where not even these fit
   */
  public int[] within(long most) {
    int[] choice = smallest();
    long left = most - bytes(choice);
    for (Step step : steps) {
      long more = bytes(step.layer, step.to) - bytes(step.layer, step.from);
      if (choice[step.layer] == step.from && more <= left) {
        choice[step.layer] = step.to;
        left -= more;
      }
    }
    return choice;
  }

  /**
   * Few bytes at a cost: the steps that save most a byte, until the cost is low enough, without
   * those that turn out not to be needed.
   *
   * @param most cost of all layers
   * @return the option of each layer; those of least cost where not even these are low enough
   */
  public int[] costing(double most) {
    int[] choice = smallest();
    List<Step> taken = new ArrayList<>();
    for (Step step : steps) {
      if (cost(choice) <= most) {
        break;
      }
      choice[step.layer] = step.to;
      taken.add(step);
    }
    for (int i = taken.size() - 1; i >= 0; i--) {
      Step step = taken.get(i);
      if (choice[step.layer] == step.to) {
        choice[step.layer] = step.from;
        if (cost(choice) > most) {
          choice[step.layer] = step.to;
        }
      }
    }
    return choice;
  }

  private long bytes(int layer, int option) {
    return layers.get(layer).get(option).bytes;
  }

  /** Bytes of all layers. */
  public long bytes(int[] choice) {
    long bytes = 0;
    for (int layer = 0; layer < choice.length; layer++) {
      bytes += bytes(layer, choice[layer]);
    }
    return bytes;
  }

  /** Cost of all layers. */
  public double cost(int[] choice) {
    double cost = 0;
    for (int layer = 0; layer < choice.length; layer++) {
      cost += layers.get(layer).get(choice[layer]).cost;
    }
    return cost;
  }
}
