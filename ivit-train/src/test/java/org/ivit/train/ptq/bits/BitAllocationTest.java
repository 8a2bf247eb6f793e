package org.ivit.train.ptq.bits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.train.ptq.bits.BitAllocation.Option;
import org.junit.jupiter.api.Test;

class BitAllocationTest {
  private static List<List<Option>> problem(Random random, int layers) {
    List<List<Option>> problem = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      List<Option> options = new ArrayList<>();
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        options.add(new Option(1 + random.nextInt(40), random.nextInt(100) / 8.0));
      }
      problem.add(options);
    }
    return problem;
  }

  private static List<int[]> all(List<List<Option>> problem) {
    List<int[]> all = List.of(new int[problem.size()]);
    for (int layer = 0; layer < problem.size(); layer++) {
      List<int[]> more = new ArrayList<>();
      for (int[] choice : all) {
        for (int option = 0; option < problem.get(layer).size(); option++) {
          int[] next = choice.clone();
          next[layer] = option;
          more.add(next);
        }
      }
      all = more;
    }
    return all;
  }

  private static double priced(BitAllocation allocation, int[] choice, double price) {
    return allocation.cost(choice) + price * allocation.bytes(choice);
  }

  /** At each price of a byte some budget gives what is best of all choices at that price. */
  @Property(tries = 200)
  void isBestAtEveryPrice(
      @ForAll @IntRange(min = 0) int seed, @ForAll @IntRange(min = 1, max = 4) int layers) {
    List<List<Option>> problem = problem(new Random(seed), layers);
    BitAllocation allocation = new BitAllocation(problem);
    List<int[]> all = all(problem);
    List<int[]> chosen = new ArrayList<>();
    for (long budget = 0; budget <= 40L * layers; budget++) {
      chosen.add(allocation.within(budget));
    }
    for (double price : new double[] {1e-9, 0.03, 0.1, 0.3, 1, 3}) {
      double best = all.stream().mapToDouble(c -> priced(allocation, c, price)).min().orElseThrow();
      double found =
          chosen.stream().mapToDouble(c -> priced(allocation, c, price)).min().orElseThrow();
      assertThat(found).isCloseTo(best, within(1e-9));
    }
  }

  /** No choice of as few bytes costs less by more than a layer's options differ. */
  @Property(tries = 200)
  void staysWithinTheBudgetNearTheBest(
      @ForAll @IntRange(min = 0) int seed, @ForAll @IntRange(min = 1, max = 4) int layers) {
    List<List<Option>> problem = problem(new Random(seed), layers);
    BitAllocation allocation = new BitAllocation(problem);
    long fewest = allocation.bytes(allocation.smallest());
    List<int[]> all = all(problem);
    assertThat(all).allMatch(choice -> allocation.bytes(choice) >= fewest);
    for (long budget = 0; budget <= 40L * layers; budget += 7) {
      long most = budget;
      int[] choice = allocation.within(budget);
      assertThat(allocation.bytes(choice)).isLessThanOrEqualTo(Math.max(budget, fewest));
      double best =
          all.stream()
              .filter(other -> allocation.bytes(other) <= Math.max(most, fewest))
              .mapToDouble(allocation::cost)
              .min()
              .orElseThrow();
      assertThat(allocation.cost(choice)).isBetween(best, best + range(problem, Option::cost));
    }
  }

  /** No choice of so little cost is smaller by more than a layer's options differ. */
  @Property(tries = 200)
  void costsNoMoreThanItMayWhereThatCanBe(
      @ForAll @IntRange(min = 0) int seed, @ForAll @IntRange(min = 1, max = 4) int layers) {
    List<List<Option>> problem = problem(new Random(seed), layers);
    BitAllocation allocation = new BitAllocation(problem);
    List<int[]> all = all(problem);
    double least = all.stream().mapToDouble(allocation::cost).min().orElseThrow();
    for (double most = 0; most <= 12 * layers; most += 1.5) {
      int[] choice = allocation.costing(most);
      assertThat(allocation.cost(choice)).isLessThanOrEqualTo(Math.max(most, least));
      double enough = Math.max(most, least);
      long best =
          all.stream()
              .filter(other -> allocation.cost(other) <= enough)
              .mapToLong(allocation::bytes)
              .min()
              .orElseThrow();
      assertThat(allocation.bytes(choice)).isBetween(best, best + range(problem, Option::bytes));
    }
  }

  /** The largest difference between options of a layer. */
  private static long range(List<List<Option>> problem, ToDoubleFunction<Option> value) {
    return (long)
        Math.ceil(
            problem.stream()
                .map(options -> options.stream().mapToDouble(value).summaryStatistics())
                .mapToDouble(options -> options.getMax() - options.getMin())
                .max()
                .orElseThrow());
  }

  @Test
  void leavesOutWhatIsOffTheHull() {
    // A line from 10 bytes to 30 passes below the option of 20.
    List<Option> layer =
        List.of(new Option(30, 1), new Option(20, 9), new Option(10, 10), new Option(40, 1));
    BitAllocation allocation = new BitAllocation(List.of(layer));
    assertThat(allocation.within(25)).containsExactly(2);
    assertThat(allocation.within(100)).containsExactly(0);
    assertThat(allocation.costing(9)).containsExactly(0);
    assertThat(allocation.costing(10)).containsExactly(2);
  }
}
