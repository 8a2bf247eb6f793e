package org.ivit.core.engine.jni;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;

/**
 * How much faster several threads are than one by {@link Costs}, from the splits that {@link
 * NativeEngine} makes ({@code docs/performance.md}).
 */
final class ScalingTable {
  static final int[] THREADS = {2, 4, 8, 16};
  static final int[] BATCHES = {1, 2, 8, 32};

  private static final List<String> MODELS =
      List.of(
          "vit_tiny_patch16_224",
          "deit_small_patch16_224",
          "deit_base_patch16_224",
          "swin_tiny_patch4_window7_224");

  private final String name;
  private final List<StepWork> steps;
  private final Costs costs;

  ScalingTable(Architecture architecture, Costs costs) {
    this.name = architecture.name();
    this.steps = StepWork.of(architecture);
    this.costs = costs;
  }

  /** The time of one thread over that of several; pictures go as in {@link NativeEngine}. */
  double speedUp(int batch, int threads) {
    double alone = costs.of(steps);
    int rounds = batch / threads;
    int rest = batch % threads;
    double time = rounds * alone;
    if (rest > 0) {
      time += Schedule.of(steps, rest, threads, costs).nanos();
    }
    return batch * alone / time;
  }

  /** A line of Markdown for each batch. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    for (int batch : BATCHES) {
      StringBuilder line = new StringBuilder("| " + name + " | " + batch);
      for (int threads : THREADS) {
        line.append(String.format(Locale.ROOT, " | %.1f", speedUp(batch, threads)));
      }
      lines.add(line.append(" |").toString());
    }
    return lines;
  }

  /** Prints the table of performance.md, first for AVX512-VNNI, then for AVX2. */
  public static void main(String[] arguments) {
    for (Costs costs : List.of(Costs.VNNI, Costs.VNNI.slower(75, 2))) {
      System.out.println(costs);
      for (String model : MODELS) {
        new ScalingTable(Architectures.byName(model), costs).lines().forEach(System.out::println);
      }
    }
  }
}
