package org.ivit.export.evaluate;

import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.Digests;
import org.ivit.core.pretrained.HuggingFaceFolder;
import org.ivit.core.pretrained.WeightAdaptation;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.pretrained.WeightSearch;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.tensor.TensorFiles;
import org.ivit.export.freeze.Freezer;
import org.ivit.export.model.ClassNames;
import org.ivit.export.model.FloatModel;
import org.ivit.export.model.FloatSource;
import org.ivit.export.model.IntegerModel;
import org.ivit.export.model.Model;
import org.ivit.export.model.ModelIdentity;
import org.ivit.train.run.RunDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens a model from what lies at a path. */
public final class Models {
  private static final Logger LOG = LoggerFactory.getLogger(Models.class);

  private Models() {}

  /**
   * Opens an integer checkpoint, float weights in any form of {@link TensorFiles}, a Hugging Face
   * folder, or a run directory.
   *
   * @param reading of float weights
   * @param config how it is run; an engine that it names is for integer models alone
   * @throws InputException if it is none of them, or is damaged
   */
  public static Model open(Path path, FloatReading reading, EngineConfig config) {
    if (Files.isDirectory(path)) {
      if (!HuggingFaceFolder.is(path)) {
        return Freezer.open(path, config);
      }
      requireNoEngine(path, config);
      return new FloatModel(huggingFace(path, reading), config.pool());
    }
    if (!Files.exists(path)) {
      throw new InputException(path + ": no such file or folder");
    }
    try (TensorContents contents = TensorFiles.contents(path)) {
      if (CheckpointFile.isCheckpoint(contents.metadata())) {
        return integer(path, CheckpointFile.digest(contents.metadata()), config);
      }
      FloatSource source = real(path, contents, reading);
      requireNoEngine(path, config);
      return new FloatModel(source, config.pool());
    }
  }

  /**
   * Float weights from a file in any form of {@link TensorFiles}, a Hugging Face folder, or a run
   * directory, whose best weights these are.
   *
   * @param reading of a file
   * @throws InputException if it is none of them, or is damaged
   */
  public static FloatSource floats(Path path, FloatReading reading) {
    if (Files.isDirectory(path)) {
      return HuggingFaceFolder.is(path)
          ? huggingFace(path, reading)
          : Freezer.floats(RunDirectory.open(path), Freezer.Moment.BEST, Freezer.Weights.AUTO);
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

  private static Model integer(Path path, String digest, EngineConfig config) {
    IntegerCheckpoint checkpoint = CheckpointFile.read(path);
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

  private static FloatSource huggingFace(Path path, FloatReading reading) {
    if (reading.architecture() != null) {
      LOG.info("{}: config.json says the architecture; --architecture is left aside", path);
    }
    HuggingFaceFolder folder = HuggingFaceFolder.read(path, LOG::info);
    return new FloatSource(
        new ModelIdentity(
            path.toString(),
            Digests.file(Path.of(folder.weights().source())),
            "",
            "float",
            folder.architecture().name()),
        folder.architecture(),
        FloatWeights.of(folder.weights().tensors()),
        folder.preprocess(),
        new ClassNames(folder.classes(), folder.classes()));
  }

  private static void requireNoEngine(Path path, EngineConfig config) {
    String engine = config.namedEngine();
    if (engine != null) {
      throw new InputException(
          path + ": holds float weights, which no integer engine runs: found engine " + engine);
    }
  }

  private static FloatSource real(Path path, TensorContents contents, FloatReading reading) {
    if (reading.architecture() == null) {
      throw new InputException(
          path + ": holds float weights and no integer checkpoint, expected --architecture NAME");
    }
    Architecture parsed = Architectures.parse(reading.architecture());
    TensorFile file = new WeightSearch(parsed, reading.weightsKey(), LOG::info).find(contents);
    TensorFile fitted = new WeightAdaptation(parsed, LOG::info).positions(file);
    WeightCheck.check(fitted, parsed);
    return new FloatSource(
        new ModelIdentity(path.toString(), Digests.file(path), "", "float", parsed.name()),
        parsed,
        FloatWeights.of(fitted.tensors()),
        preprocess(parsed),
        ClassNames.UNKNOWN);
  }

  /** That of the pretrained weights; for others what is usual for their family. */
  static Preprocess preprocess(Architecture architecture) {
    return PretrainedPreprocess.usual(
        architecture, PretrainedPreprocess.resize(architecture.image().side()));
  }
}
