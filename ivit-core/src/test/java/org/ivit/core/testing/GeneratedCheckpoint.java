package org.ivit.core.testing;

import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;

/**
 * A checkpoint of a registered architecture with normally distributed weights, in the forms that
 * {@code ivit quantize} chooses but without outlier channels: for measurements where no weights are
 * at hand. Started by {@code scripts/bench-cpu} and {@code scripts/profile-cpu}; no test.
 */
final class GeneratedCheckpoint {
  private GeneratedCheckpoint() {}

  /**
   * Writes one.
   *
   * @param arguments name of the architecture, {@code @} and the size of its pictures where it is
   *     another; file; {@code 4}, {@code 5} or {@code 6} for weights of so many bits in the blocks,
   *     by groups
   */
  public static void main(String[] arguments) {
    Architecture architecture = architecture(arguments[0]);
    Random random = new Random(1);
    FloatWeights weights = ObservedModel.weights(architecture, random);
    if (arguments.length > 2) {
      weights = GroupedWeights.of(architecture, weights, Integer.parseInt(arguments[2]));
    }
    IntegerGraph graph = ObservedModel.graph(architecture, weights, ObservedModel.USUAL, random);
    int classes = architecture.answer() == Answer.CLASSES ? architecture.classes() : 0;
    CheckpointFile.write(
        Path.of(arguments[1]),
        new IntegerCheckpoint(
            graph,
            Preprocess.half(architecture.image().side(), architecture.image().side()),
            IntStream.range(0, classes).mapToObj(Integer::toString).toList(),
            new Provenance("generated", "", "", "", "", "")));
  }

  private static Architecture architecture(String text) {
    int at = text.indexOf('@');
    return at < 0
        ? Architectures.byName(text)
        : Architectures.parse(
            "{\"base\": \"%s\", \"image\": %s}"
                .formatted(text.substring(0, at), text.substring(at + 1)));
  }
}
