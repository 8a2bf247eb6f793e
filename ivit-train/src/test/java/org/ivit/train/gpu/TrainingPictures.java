package org.ivit.train.gpu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.pretrained.WeightSearch;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * Puts weights and pictures for {@link TrainingCheck} into a folder, so that a GPU machine needs no
 * decoder: {@code TrainingPictures WEIGHTS PICTURES CLASSES COUNT FOLDER}. WEIGHTS is named by its
 * architecture, PICTURES has a folder a class, CLASSES is a list of classes.
 */
final class TrainingPictures {
  private TrainingPictures() {}

  /** Writes the files. */
  public static void main(String[] arguments) throws IOException {
    try {
      write(
          Path.of(arguments[0]),
          Path.of(arguments[1]),
          ClassList.read(Path.of(arguments[2])),
          Integer.parseInt(arguments[3]),
          Path.of(arguments[4]));
    } catch (InputException e) {
      System.err.println("gpu-bundle: " + e.getMessage());
      System.exit(2);
    }
  }

  static void write(Path weights, Path pictures, ClassList classes, int count, Path folder)
      throws IOException {
    String name = weights.getFileName().toString().replaceFirst("\\.[a-z]+$", "");
    Architecture architecture = Architectures.byName(name);
    writeWeights(architecture, weights, folder.resolve(name + PictureCase.WEIGHTS));
    EvaluationTransform transform =
        new EvaluationTransform(
            PretrainedPreprocess.usual(
                architecture, PretrainedPreprocess.resize(architecture.image())));
    List<Path> chosen = spread(pictures, classes, count);
    ByteArrayOutputStream rgb = new ByteArrayOutputStream();
    int[] labels = new int[chosen.size()];
    for (int i = 0; i < labels.length; i++) {
      rgb.write(transform.apply(ImageDecoder.decode(chosen.get(i))).data());
      labels[i] = label(classes, chosen.get(i));
    }
    long side = architecture.image().side();
    Safetensors.write(
        folder.resolve(name + PictureCase.PICTURES),
        Map.of(
            PictureCase.RGB,
            Tensor.ofUnsigned(rgb.toByteArray(), labels.length, side, side, 3),
            PictureCase.LABELS,
            Tensor.of(labels, labels.length)),
        Map.of());
  }

  private static void writeWeights(Architecture architecture, Path from, Path to) {
    TensorFile file = new WeightSearch(architecture, null, line -> {}).find(from);
    WeightCheck.check(file, architecture);
    FloatWeights weights = FloatWeights.of(file.tensors());
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach((key, shape) -> tensors.put(key, Tensor.of(weights.get(key), shape)));
    Safetensors.write(to, tensors, Map.of());
  }

  private static int label(ClassList classes, Path picture) {
    return classes.indexOf(picture.getParent().getFileName().toString());
  }

  /** So many pictures of known classes, spread evenly over all. */
  private static List<Path> spread(Path folder, ClassList classes, int count) throws IOException {
    List<Path> all;
    try (var files = Files.walk(folder)) {
      all =
          files
              .filter(f -> f.toString().toLowerCase(Locale.ROOT).matches(".*\\.(jpe?g|png)"))
              .filter(f -> label(classes, f) >= 0)
              .sorted()
              .toList();
    }
    if (all.size() < count) {
      throw new InputException(
          folder + ": found " + all.size() + " pictures of known classes, expected " + count);
    }
    List<Path> chosen = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      chosen.add(all.get((int) ((long) i * all.size() / count)));
    }
    return chosen;
  }
}
