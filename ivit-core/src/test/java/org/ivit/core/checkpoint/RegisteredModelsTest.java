package org.ivit.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Scheme;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Models of the registry from weights to logits: build, calibrate, write, read, run. By default the
 * smallest Swin; {@code -Divit.registry=all}, or a name, chooses others, which take minutes and,
 * for Large, a heap of several gigabytes ({@code -Dtest.heap=12g}); {@code
 * -Divit.registry.keep=DIR} keeps the checkpoints, to be measured.
 */
class RegisteredModelsTest {
  private static final String DEFAULT = "swin_tiny_patch4_window7_224";

  @TempDir Path folder;

  static List<String> names() {
    String chosen = System.getProperty("ivit.registry", DEFAULT);
    return chosen.equals("all") ? Architectures.names() : List.of(chosen);
  }

  @ParameterizedTest
  @MethodSource("names")
  void enginesAgreeOnTheCheckpointOfRandomWeights(String name) throws IOException {
    Architecture architecture = Architectures.byName(name);
    Random random = new Random(1);
    int size = architecture.pixels();
    float[] pixels = new float[2 * size];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) (Math.sin(i * 0.01) + random.nextGaussian() / 4);
    }
    FloatWeights weights = spread(architecture, random);
    ObservingForward observing =
        new ObservingForward(
            architecture,
            weights,
            Scheme.EXACT,
            new PortableMatrixProducts(),
            new PublishedObserver());
    int[] observed = observing.run(pixels, 2);
    IntegerGraph graph =
        GraphBuilder.build(architecture, weights, Scheme.EXACT, observing.ranges());

    String keep = System.getProperty("ivit.registry.keep");
    Path file =
        (keep == null ? folder : Path.of(keep).toAbsolutePath())
            .resolve(name + ".ivit.safetensors");
    List<String> classes =
        IntStream.range(0, architecture.classes()).mapToObj(i -> "class " + i).toList();
    CheckpointFile.write(
        file,
        new IntegerCheckpoint(
            graph,
            PretrainedPreprocess.usual(
                architecture, PretrainedPreprocess.resize(architecture.image())),
            classes,
            Provenance.UNKNOWN));
    IntegerGraph read = CheckpointFile.read(file).graph();
    // Codes of one byte a weight, and little beside them.
    long parameters = weights.values().values().stream().mapToLong(v -> v.length).sum();
    assertThat(Files.size(file)).isBetween(parameters, parameters + parameters / 5);

    byte[] codes = Quantizer.codes8("pixels", pixels, read.inputScale());
    int[] first = Arrays.copyOf(observed, architecture.classes());
    try (PortableEngine engine = new PortableEngine(read);
        ReferenceEngine reference = new ReferenceEngine(read)) {
      // The first batch is observed whole, so its forward pass is already the frozen one.
      assertThat(engine.logits(codes, 2)).isEqualTo(observed);
      assertThat(reference.logits(Arrays.copyOf(codes, size), 1)).isEqualTo(first);
    }
    assertThat(Arrays.stream(first).distinct().count()).isGreaterThan(architecture.classes() / 2);
  }

  /** Values spread about as a trained model's: no layer dies, no node is swamped by one channel. */
  private static FloatWeights spread(Architecture architecture, Random random) {
    Map<String, float[]> values = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int length = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
              boolean matrix = name.endsWith(".weight") && shape.length > 1;
              boolean gamma = name.endsWith(".weight") && shape.length == 1;
              double deviation = matrix ? Math.sqrt(shape[0] / (double) length) : 0.2;
              float[] value = new float[length];
              for (int i = 0; i < length; i++) {
                value[i] = (float) ((gamma ? 1 : 0) + deviation * random.nextGaussian());
              }
              values.put(name, value);
            });
    return new FloatWeights(values, Map.of());
  }
}
