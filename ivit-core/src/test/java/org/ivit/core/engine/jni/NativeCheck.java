package org.ivit.core.engine.jni;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Preprocess;

/**
 * Proves the kernels of a foreign processor where tests are too slow, as {@code
 * scripts/check-arm64} does under an emulator.
 */
public final class NativeCheck {
  private NativeCheck() {}

  /**
   * {@code NativeCheck golden KERNELS}: that these kernels are the ones chosen, and that they give
   * the logits of the golden models. {@code NativeCheck logits CHECKPOINT PICTURE OUTPUT}: writes
   * the logits of a picture, a line each.
   */
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("golden")) {
      golden(arguments[1]);
    } else {
      logits(Path.of(arguments[1]), Path.of(arguments[2]), Path.of(arguments[3]));
    }
  }

  private static void golden(String kernels) throws RefusedGraphException {
    for (String faster : KernelSets.fast()) {
      if (NativeLibrary.unavailable(faster) == null) {
        if (!faster.equals(kernels)) {
          throw new IllegalStateException("found kernels " + faster + ", expected " + kernels);
        }
        break;
      }
    }
    new NativeEngineTest().equalsTheGoldenLogits(kernels);
    System.out.println(kernels + ": equal to the golden logits");
  }

  private static void logits(Path model, Path picture, Path output) throws IOException {
    IntegerCheckpoint checkpoint = CheckpointFile.read(model);
    Preprocess preprocess = checkpoint.preprocess();
    byte[] rgb = new EvaluationTransform(preprocess).apply(ImageDecoder.decode(picture)).data();
    byte[] codes =
        PixelTable.of(preprocess.mean(), preprocess.std(), checkpoint.graph().inputScale())
            .apply(rgb, 1);
    try (Engine engine = Engines.open(checkpoint.graph(), "cpu")) {
      int[] logits = engine.logits(codes, 1);
      Files.writeString(
          output,
          Arrays.stream(logits).mapToObj(Integer::toString).collect(Collectors.joining("\n")));
      System.out.printf("%s: %d logits of a picture%n", engine.backend().kernels(), logits.length);
    }
  }
}
