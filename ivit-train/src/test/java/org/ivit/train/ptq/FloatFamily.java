package org.ivit.train.ptq;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatOperators;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** The float64 forward of a network, part by part. */
final class FloatFamily {
  private FloatFamily() {}

  /**
   * @param pixels normalised, [batch][3][height][width]
   * @return what each part makes of them, by the name of its output
   */
  static Map<String, double[]> outputs(
      Architecture architecture, FloatWeights weights, float[] pixels, int batch, WorkerPool pool) {
    Execution run = new Execution(pool, RealType.FLOAT64);
    Map<String, double[]> outputs = new LinkedHashMap<>();
    Reals x = Reals.allocate(RealType.FLOAT64, pixels.length);
    x.put(0, pixels, 0, pixels.length);
    for (PartSpec spec : PartSpec.of(architecture, 0)) {
      Operator operator = FloatOperators.of(spec);
      Reals parameters = Reals.allocate(RealType.FLOAT64, operator.layout().size());
      for (ParameterLayout.Entry entry : operator.layout().entries()) {
        float[] value = weights.get(spec.prefix() + entry.key());
        parameters.put(entry.from(), value, 0, value.length);
      }
      Reals y = Reals.allocate(RealType.FLOAT64, batch * spec.outputs());
      operator.forward(parameters, x, y, batch, false, run);
      outputs.put(spec.part().output().name(), y.doubles());
      x = y;
    }
    return outputs;
  }
}
