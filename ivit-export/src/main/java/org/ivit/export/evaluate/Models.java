package org.ivit.export.evaluate;

import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.Digests;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.pretrained.WeightSearch;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.tensor.TensorFiles;
import org.ivit.export.freeze.Freezer;
import org.ivit.export.model.FloatModel;
import org.ivit.export.model.FloatSource;
import org.ivit.export.model.IntegerModel;
import org.ivit.export.model.Model;
import org.ivit.export.model.ModelIdentity;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens a model from what lies at a path. */
public final class Models {
  private static final Logger LOG = LoggerFactory.getLogger(Models.class);

  private Models() {}

  /**
   * Opens an integer checkpoint, a model of others as {@link PretrainedModel} reads them, float
   * weights in any form of {@link TensorFiles}, or a run directory.
   *
   * @param reading what is said of it
   * @param config how it is run; an engine that it names is for integer models alone
   * @throws InputException if it is none of them, or is damaged
   */
  public static Model open(Path path, ModelReading reading, EngineConfig config) {
    if (Files.isDirectory(path)) {
      if (!isPretrained(path)) {
        return Freezer.open(path, reading.transform(), config);
      }
      requireNoEngine(path, config);
      return new FloatModel(folder(path, reading), config.pool());
    }
    if (!Files.exists(path)) {
      throw new InputException(path + ": no such file or folder");
    }
    try (TensorContents contents = TensorFiles.contents(path)) {
      if (CheckpointFile.isCheckpoint(contents.metadata())) {
        return integer(path, CheckpointFile.digest(contents.metadata()), reading, config);
      }
      FloatSource source = real(path, contents, reading);
      requireNoEngine(path, config);
      return new FloatModel(source, config.pool());
    }
  }

  /**
   * Float weights of a model of others as {@link PretrainedModel} reads them, from a file in any
   * form of {@link TensorFiles}, or a run directory, whose best weights these are.
   *
   * @param reading of a file
   * @throws InputException if it is none of them, or is damaged
   */
  public static FloatSource floats(Path path, ModelReading reading) {
    if (Files.isDirectory(path)) {
      return isPretrained(path)
          ? folder(path, reading)
          : Freezer.floats(RunDirectory.open(path), Freezer.Moment.BEST, Freezer.Weights.AUTO)
              .with(reading.transform());
    }
    if (!Files.exists(path)) {
      throw new InputException(path + ": no such file or folder");
    }
    try (TensorContents contents = TensorFiles.contents(path)) {
      if (CheckpointFile.isCheckpoint(contents.metadata())) {
        throw new InputException(
            path + ": is an integer checkpoint, expected float weights or a run directory");
      }
      return real(path, contents, reading);
    }
  }

  private static Model integer(
      Path path, String digest, ModelReading reading, EngineConfig config) {
    IntegerCheckpoint checkpoint = CheckpointFile.read(path).with(reading.transform());
    return new IntegerModel(
        new ModelIdentity(
            path.toString(),
            Digests.file(path),
            digest,
            "integer",
            checkpoint.graph().architecture().name()),
        checkpoint,
        config);
  }

  /** Whether a folder is of weights, not of a run. */
  private static boolean isPretrained(Path folder) {
    return PretrainedModel.isConfigured(folder)
        || (!Files.exists(folder.resolve(Recipe.FILE)) && TensorFiles.holdsOne(folder));
  }

  private static FloatSource folder(Path path, ModelReading reading) {
    if (!PretrainedModel.isConfigured(path)) {
      return file(TensorFiles.file(path), reading);
    }
    PretrainedModel.Wishes wishes = wishes(reading);
    if (wishes == null) {
      LOG.info("{}: its configuration says the architecture; --architecture is left aside", path);
      wishes = new PretrainedModel.Wishes(reading.weightsKey());
    }
    return pretrained(path, wishes).with(reading.transform());
  }

  private static PretrainedModel.Wishes wishes(ModelReading reading) {
    return PretrainedModel.Wishes.of(reading.architecture(), reading.weightsKey());
  }

  private static FloatSource pretrained(Path path, PretrainedModel.Wishes wishes) {
    PretrainedModel model = PretrainedModel.open(path, wishes, LOG::info);
    return new FloatSource(
        new ModelIdentity(
            path.toString(),
            Digests.file(Path.of(model.weights().source())),
            "",
            "float",
            model.architecture().name()),
        model.architecture(),
        FloatWeights.of(model.weights().tensors()),
        model.preprocess(),
        model.classes().isEmpty()
            ? ClassNames.UNKNOWN
            : new ClassNames(model.classes(), model.classes()));
  }

  private static FloatSource file(Path path, ModelReading reading) {
    try (TensorContents contents = TensorFiles.contents(path)) {
      return real(path, contents, reading);
    }
  }

  private static void requireNoEngine(Path path, EngineConfig config) {
    String engine = config.namedEngine();
    if (engine != null) {
      throw new InputException(
          path + ": holds float weights, which no integer engine runs: found engine " + engine);
    }
  }

  private static FloatSource real(Path path, TensorContents contents, ModelReading reading) {
    PretrainedModel.Wishes wishes = wishes(reading);
    if (wishes != null) {
      return pretrained(path, wishes).with(reading.transform());
    }
    Architecture parsed = Architectures.parse(reading.architecture());
    TensorFile fitted =
        new WeightSearch(parsed, reading.weightsKey(), LOG::info).findFitted(contents);
    WeightCheck.check(fitted, parsed);
    return new FloatSource(
            new ModelIdentity(path.toString(), Digests.file(path), "", "float", parsed.name()),
            parsed,
            FloatWeights.of(fitted.tensors()),
            PretrainedModel.preprocess(path, contents, parsed.image(), LOG::info)
                .orElseGet(() -> preprocess(parsed)),
            ClassNames.UNKNOWN)
        .with(reading.transform());
  }

  /** That of the pretrained weights; for others what is usual for their family. */
  static Preprocess preprocess(Architecture architecture) {
    return PretrainedPreprocess.usual(architecture);
  }
}
