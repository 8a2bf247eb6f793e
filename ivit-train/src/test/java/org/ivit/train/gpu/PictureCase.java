package org.ivit.train.gpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Rgb;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.train.operator.CrossEntropy;
import org.ivit.train.step.MicroBatch;

/** A trained model with pictures, as {@link TrainingPictures} writes them. */
final class PictureCase {
  /** Ends of the two files. */
  static final String WEIGHTS = ".weights.safetensors";

  static final String PICTURES = ".pictures.safetensors";

  /** Tensors of the pictures: u8 RGB [pictures][side][side][3], and their classes. */
  static final String RGB = "pictures";

  static final String LABELS = "labels";

  private static final int BATCH = 8;
  private static final double RATE = 1e-5;
  private static final float SMOOTHING = 0.1f;

  private PictureCase() {}

  /** Whether a folder has one. */
  static boolean in(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.anyMatch(file -> file.toString().endsWith(PICTURES));
    }
  }

  /** Reads the one of a folder. */
  static TrainingCase of(Path folder) throws IOException {
    Path file;
    try (var files = Files.list(folder)) {
      file = files.filter(f -> f.toString().endsWith(PICTURES)).sorted().findFirst().orElseThrow();
    }
    String name = file.getFileName().toString().replace(PICTURES, "");
    Architecture architecture = Architectures.byName(name);
    FloatWeights weights =
        FloatWeights.of(Safetensors.readToHeap(folder.resolve(name + WEIGHTS)).tensors());
    return TrainingCase.calibrated(
        name,
        architecture,
        Scheme.EXACT,
        0,
        new CrossEntropy(0, 1),
        weights,
        steps(architecture, Safetensors.readToHeap(file)),
        RATE);
  }

  private static List<StepPictures> steps(Architecture architecture, TensorFile file) {
    Tensor pictures = file.get(RGB);
    int[] labels = file.get(LABELS).ints();
    byte[] rgb = pictures.bytes();
    int side = architecture.image().side();
    int size = 3 * side * side;
    Normalisation normalisation =
        new Normalisation(
            PretrainedPreprocess.usual(
                architecture, PretrainedPreprocess.resize(architecture.image())));
    List<StepPictures> steps = new ArrayList<>();
    for (int first = 0; first < labels.length; first += BATCH) {
      int n = Math.min(BATCH, labels.length - first);
      float[] pixels = new float[n * size];
      float[] targets = new float[n * architecture.classes()];
      Arrays.fill(targets, SMOOTHING / architecture.classes());
      long[] keys = new long[n];
      for (int i = 0; i < n; i++) {
        byte[] one = Arrays.copyOfRange(rgb, (first + i) * size, (first + i + 1) * size);
        normalisation.apply(new Rgb(side, side, one), pixels, i * size);
        targets[i * architecture.classes() + labels[first + i]] += 1 - SMOOTHING;
        keys[i] = (long) first + i;
      }
      steps.add(new StepPictures(List.of(new MicroBatch(pixels, targets, n, keys))));
    }
    return steps;
  }
}
