package org.ivit.train.operator.floating;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.Operator;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** The operators of a float network one after the other, without Deeplearning4j. */
final class FloatChain {
  /** The name of the last operator's output among the nodes. */
  static final String ANSWER = "answer";

  private FloatChain() {}

  /**
   * Values of all nodes, and the answer.
   *
   * @param weights by timm name; others than the network's are left alone
   * @param pixels [pictures][3][height][width]
   * @return by node, a picture after the other
   */
  static Map<String, double[]> run(
      Architecture architecture, Map<String, double[]> weights, double[] pixels, RealType type) {
    return run(architecture, weights, pixels, type, null);
  }

  /**
   * As {@link #run(Architecture, Map, double[], RealType)}.
   *
   * @param table of rotary positions; null for the architecture's own
   */
  static Map<String, double[]> run(
      Architecture architecture,
      Map<String, double[]> weights,
      double[] pixels,
      RealType type,
      Rotary.Table table) {
    Map<String, double[]> nodes = new HashMap<>();
    int pictures = pixels.length / architecture.pixels();
    try (WorkerPool pool = new WorkerPool(1)) {
      Execution run = new Execution(pool, type);
      run.tap(
          (node, values, from, length, channels) ->
              nodes.merge(node.name(), values(values, from, length), FloatChain::joined));
      Reals x = Reals.of(type, pixels);
      for (PartSpec spec : PartSpec.of(architecture, 0)) {
        Operator operator =
            table != null && spec.part() instanceof Block block
                ? new FloatBlock(spec, block, table)
                : FloatOperators.of(spec);
        Reals y = Reals.allocate(type, pictures * spec.outputs());
        Reals own = parameters(operator.layout(), spec.prefix(), weights, type);
        operator.forward(own, x, y, pictures, false, run);
        x = y;
      }
      nodes.put(ANSWER, values(x, 0, x.size()));
    }
    return nodes;
  }

  /**
   * Gradients of a weighted sum of the answers by the parameters.
   *
   * @param factors of the sum, [pictures][outputs]
   * @param threads which share the pictures
   * @return by timm name
   */
  static Map<String, double[]> gradients(
      Architecture architecture,
      Map<String, double[]> weights,
      double[] pixels,
      double[] factors,
      RealType type,
      int threads) {
    Map<String, double[]> gradients = new HashMap<>();
    int pictures = pixels.length / architecture.pixels();
    List<PartSpec> specs = PartSpec.of(architecture, 0);
    List<Operator> operators = specs.stream().map(FloatOperators::of).toList();
    List<Reals> own = new ArrayList<>();
    List<Reals> values = new ArrayList<>(List.of(Reals.of(type, pixels)));
    try (WorkerPool pool = new WorkerPool(threads)) {
      Execution run = new Execution(pool, type);
      for (int i = 0; i < specs.size(); i++) {
        Operator operator = operators.get(i);
        own.add(parameters(operator.layout(), specs.get(i).prefix(), weights, type));
        values.add(Reals.allocate(type, pictures * specs.get(i).outputs()));
        operator.forward(own.get(i), values.get(i), values.get(i + 1), pictures, true, run);
      }
      Reals gy = Reals.of(type, factors);
      for (int i = specs.size() - 1; i >= 0; i--) {
        ParameterLayout layout = operators.get(i).layout();
        Reals gradient = Reals.allocate(type, layout.size());
        Reals x = values.get(i);
        Reals gx = i == 0 ? null : unwritten(type, x.size());
        operators.get(i).backward(own.get(i), x, gy, gx, gradient, pictures, run);
        for (ParameterLayout.Entry entry : layout.entries()) {
          String name = specs.get(i).prefix() + entry.key();
          gradients.put(name, values(gradient, entry.from(), entry.size()));
        }
        gy = gx;
      }
    }
    return gradients;
  }

  /** Memory that an operator must write, not add to. */
  private static Reals unwritten(RealType type, int size) {
    double[] numbers = new double[size];
    Arrays.fill(numbers, 1e3);
    return Reals.of(type, numbers);
  }

  private static Reals parameters(
      ParameterLayout layout, String prefix, Map<String, double[]> weights, RealType type) {
    Reals memory = Reals.allocate(type, layout.size());
    for (ParameterLayout.Entry entry : layout.entries()) {
      memory.put(entry.from(), weights.get(prefix + entry.key()), 0, entry.size());
    }
    return memory;
  }

  private static double[] values(Reals reals, int from, int length) {
    double[] values = new double[length];
    reals.get(from, values, 0, length);
    return values;
  }

  private static double[] joined(double[] first, double[] second) {
    double[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
