package org.ivit.train.gpu;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.train.step.StepVector;

/**
 * Where a run stands, as a safetensors file of its vectors; the parameters hold the ranges.
 *
 * @param vectors those of {@link StepRun#STATE}
 * @param steps taken so far
 */
record StepState(Map<StepVector, float[]> vectors, int steps) {
  private static final String STEPS = "steps";

  /** The state of a run. */
  static StepState of(StepRun run) {
    Map<StepVector, float[]> vectors = new EnumMap<>(StepVector.class);
    StepRun.STATE.forEach(vector -> vectors.put(vector, run.read(vector)));
    return new StepState(vectors, run.taken());
  }

  private static String key(StepVector vector) {
    return vector.name().toLowerCase(Locale.ROOT);
  }

  /** Writes a file, whole or not at all. */
  void write(Path file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    vectors.forEach((vector, values) -> tensors.put(key(vector), Tensor.of(values, values.length)));
    Safetensors.write(file, tensors, Map.of(STEPS, Integer.toString(steps)));
  }

  /** Reads a file. */
  static StepState read(Path file) {
    TensorFile tensors = Safetensors.readToHeap(file);
    Map<StepVector, float[]> vectors = new EnumMap<>(StepVector.class);
    StepRun.STATE.forEach(vector -> vectors.put(vector, tensors.get(key(vector)).floats()));
    return new StepState(vectors, Integer.parseInt(tensors.metadata().get(STEPS)));
  }

  /** Lets a run of the same start go on from here. */
  void restore(StepRun run) {
    run.goOn(vectors, steps);
  }

  /** Numbers that differ in a bit from those of another state. */
  int differences(StepState other) {
    int differences = steps == other.steps ? 0 : 1;
    for (StepVector vector : StepRun.STATE) {
      float[] a = vectors.get(vector);
      float[] b = other.vectors.get(vector);
      for (int i = 0; i < a.length; i++) {
        differences += Float.floatToRawIntBits(a[i]) == Float.floatToRawIntBits(b[i]) ? 0 : 1;
      }
    }
    return differences;
  }
}
