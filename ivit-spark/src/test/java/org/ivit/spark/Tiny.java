package org.ivit.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ivit.export.cli.CommandLineInterface;
import org.ivit.train.loop.Trainer;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;

/** Small pictures of ten classes, a small ViT for them, and commands as a user gives them. */
public final class Tiny {
  public static final String ARCHITECTURE =
      "{\"kind\":\"vit\",\"image\":16,\"patch\":8,\"dim\":12,\"depth\":2,\"heads\":2,"
          + "\"classes\":10}";

  private static final List<String> CLASSES =
      List.of("a", "b", "c", "d", "e", "f", "g", "h", "i", "j");

  private Tiny() {}

  /** Skips where Spark and Hadoop do not run. */
  public static void assumeJava() {
    assumeTrue(
        Set.of(17, 21).contains(Runtime.version().feature()),
        "skipped: Spark 4.0 runs on Java 17 and 21");
  }

  /** Makes a folder of pictures, so many a class. */
  public static Path draw(Path root, int each) throws IOException {
    Random random = new Random(5);
    for (String label : CLASSES) {
      Path into = Files.createDirectories(root.resolve(label));
      for (int i = 0; i < each; i++) {
        BufferedImage image = new BufferedImage(20, 18, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 20 * 18; p++) {
          image.setRGB(p % 20, p / 20, random.nextInt(1 << 24));
        }
        ImageIO.write(image, "png", into.resolve(i + ".png").toFile());
      }
    }
    return root;
  }

  /** Float weights, trained for two steps in the folder unless they are there. */
  public static Path weights(Path folder) {
    Path path = folder.resolve("float");
    if (!Files.exists(path)) {
      String yaml =
          """
          architecture: %s
          precision: float
          data: {train: {procedural: {pictures: 16, size: 16, seed: 1}}}
          augmentation: {randomResizedCrop: none, flip: 0, colorJitter: 0, randomErasing: 0}
          optimizer: {learningRate: 0.002, batchSize: 8}
          schedule: {epochs: 1}
          threads: 2
          """
              .formatted(ARCHITECTURE);
      Trainer.start(
          Recipe.parse("test.yaml", yaml, List.of()).withOutput(path), TrainingMonitor.SILENT);
    }
    return path.resolve("checkpoints/2/weights.safetensors");
  }

  /**
   * A recipe that trains integers from {@link #weights}.
   *
   * @param data where the training pictures lie
   */
  public static Recipe recipe(Path folder, String output, Object data, String... overrides) {
    String yaml =
        """
        architecture: %s
        weights: %s
        quantization: {calibration: {pictures: 16, batchSize: 8}}
        data: {train: '%s'}
        augmentation: {flip: 0.5, mixup: 0.8, cutmix: 1, randomErasing: 0.25}
        optimizer: {learningRate: 0.0005, batchSize: 6, accumulation: 2, clipNorm: 1}
        schedule: {epochs: 3}
        stochasticDepth: 0.2
        threads: 2
        checkpoints: {every: 1, keep: 9}
        """
            .formatted(ARCHITECTURE, weights(folder), data);
    return Recipe.parse("test.yaml", yaml, List.of(overrides)).withOutput(folder.resolve(output));
  }

  /** What a command answered. */
  public record Outcome(int code, String out, String err) {
    /** It was done. */
    public Outcome done() {
      assertThat(code).as(err).isZero();
      return this;
    }

    /** It was refused in one line that holds all of these. */
    public void refused(String... parts) {
      assertThat(code).as(out + err).isEqualTo(2);
      assertThat(err.lines()).hasSize(1);
      assertThat(err).startsWith("ivit: ").contains(parts);
    }
  }

  /** Runs a command. */
  public static Outcome run(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] texts = Stream.of(args).map(String::valueOf).toArray(String[]::new);
    int code = CommandLineInterface.run(new PrintWriter(out), new PrintWriter(err), texts);
    return new Outcome(code, out.toString(), err.toString());
  }
}
