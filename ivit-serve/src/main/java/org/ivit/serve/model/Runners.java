package org.ivit.serve.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.LongStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.model.ModelOptions;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFiles;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.model.FloatModel;
import org.ivit.export.model.FloatSource;
import org.ivit.train.recipe.Recipe;

/** Opens what lies at a path. */
public final class Runners {
  private Runners() {}

  /**
   * Opens an integer checkpoint or float weights.
   *
   * @param reading of float weights
   * @param config how it is run; an engine that it names is for integer models alone
   * @param batch the most pictures that are run at once
   * @throws InputException if it is neither, is damaged, or its engine does not run here
   */
  public static Runner open(Path path, ModelReading reading, EngineConfig config, int batch) {
    if (!Files.exists(path)) {
      throw new InputException(path + ": no such file or folder");
    }
    if (Files.exists(path.resolve(Recipe.FILE))) {
      throw new InputException(
          path
              + ": is a run directory, expected an integer checkpoint (ivit export makes one of"
              + " it) or float weights");
    }
    if (isCheckpoint(path)) {
      return new IntegerRunner(
          CheckpointFile.read(path),
          new ModelOptions(config, batch, ImageDecoder.MAX_PIXELS),
          size(path));
    }
    FloatSource source = Models.floats(path, reading);
    return new FloatRunner(
        new FloatModel(source, config.pool()),
        Files.isDirectory(path) ? size(source.architecture()) : size(path));
  }

  private static boolean isCheckpoint(Path path) {
    if (Files.isDirectory(path)) {
      return false;
    }
    try (TensorContents contents = TensorFiles.contents(path)) {
      return CheckpointFile.isCheckpoint(contents.metadata());
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long size(Architecture architecture) {
    return architecture.parameters().values().stream()
        .mapToLong(shape -> LongStream.of(shape).reduce(Float.BYTES, Math::multiplyExact))
        .sum();
  }
}
