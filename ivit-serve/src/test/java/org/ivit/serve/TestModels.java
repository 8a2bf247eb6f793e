package org.ivit.serve;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.family.Architectures;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.ObservedModel;

/** Small models and pictures for them, and what the reference engine answers. */
public final class TestModels {
  /** Classes of {@link #classifier}. */
  public static final List<String> CLASSES =
      List.of("n01\tcrane, bird", "n02\tcrane", "n03\tcat", "dog");

  /** A float model of 3 classes and 16 x 16 pixels. */
  public static final String FLOAT =
      "{\"kind\":\"vit\",\"name\":\"micro\",\"image\":16,\"patch\":8,\"dim\":16,\"depth\":1,"
          + "\"heads\":2,\"hidden\":32,\"classes\":3}";

  private TestModels() {}

  /** A classifier of pictures 24 wide and 16 high, in 4 classes. */
  public static IntegerCheckpoint classifier() {
    return checkpoint("deit3", CLASSES);
  }

  /** A model that answers with features. */
  public static IntegerCheckpoint embedder() {
    return checkpoint("dino", List.of());
  }

  private static IntegerCheckpoint checkpoint(String model, List<String> classes) {
    return new IntegerCheckpoint(
        ObservedModel.graph(FamilyModels.architecture(model), Scheme.EXACT, new Random(7)),
        Preprocess.imagenet(new Size(18, 26), new Size(16, 24)),
        classes,
        Provenance.UNKNOWN);
  }

  /** Writes a checkpoint into a folder. */
  public static Path write(Path folder, String name, IntegerCheckpoint checkpoint) {
    Path file = folder.resolve(name + ".ivit.safetensors");
    CheckpointFile.write(file, checkpoint);
    return file;
  }

  /** Writes weights of {@link #FLOAT}. */
  public static Path writeFloat(Path file) {
    Architecture architecture = Architectures.parse(FLOAT);
    Random random = new Random(3);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int size = 1;
              for (long length : shape) {
                size *= (int) length;
              }
              float[] values = new float[size];
              for (int i = 0; i < size; i++) {
                values[i] = 0.2f * (float) random.nextGaussian();
              }
              tensors.put(name, Tensor.of(values, shape));
            });
    Safetensors.write(file, tensors, Map.of());
    return file;
  }

  /** A PNG file of noise. */
  public static byte[] png(int seed) {
    return png(seed, 40 + seed % 7, 31);
  }

  /** A PNG file of noise. */
  public static byte[] png(int seed, int width, int height) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(seed);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, random.nextInt(1 << 24));
      }
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** The answer to a picture file, by the reference engine and the steps of {@code evaluate}. */
  public static int[] expected(IntegerCheckpoint checkpoint, byte[] picture) {
    Preprocess preprocess = checkpoint.preprocess();
    Rgb seen = new EvaluationTransform(preprocess).apply(ImageDecoder.decode(picture, "picture"));
    PixelTable table =
        PixelTable.of(preprocess.mean(), preprocess.std(), checkpoint.graph().inputScale());
    try (Engine engine = Engines.open(checkpoint.graph(), "reference")) {
      return engine.logits(table.apply(seen.data(), 1), 1);
    }
  }
}
