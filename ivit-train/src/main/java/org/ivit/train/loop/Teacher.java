package org.ivit.train.loop;

import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.VitNetwork;

/** The float model whose probabilities a student learns. */
final class Teacher {
  private final VitNetwork network;
  private final double temperature;

  Teacher(Architecture architecture, FloatWeights weights, double temperature, WorkerPool pool) {
    this.network = VitNetwork.build(NetworkOptions.inference(architecture, null), pool);
    this.network.load(weights);
    this.temperature = temperature;
  }

  /**
   * Puts the teacher's probabilities behind the targets of each picture.
   *
   * @param pixels normalised, as the student sees them
   * @param targets [pictures][classes]
   * @return [pictures][2·classes]
   */
  float[] extend(float[] pixels, float[] targets, int pictures) {
    int classes = targets.length / pictures;
    double[] logits = network.logits(pixels, pictures);
    float[] extended = new float[2 * targets.length];
    for (int n = 0; n < pictures; n++) {
      System.arraycopy(targets, n * classes, extended, 2 * n * classes, classes);
      softmax(logits, n * classes, classes, extended, (2 * n + 1) * classes);
    }
    return extended;
  }

  private void softmax(double[] logits, int from, int classes, float[] out, int at) {
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < classes; c++) {
      max = Math.max(max, logits[from + c]);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp((logits[from + c] - max) / temperature);
    }
    for (int c = 0; c < classes; c++) {
      out[at + c] = (float) (Math.exp((logits[from + c] - max) / temperature) / sum);
    }
  }
}
