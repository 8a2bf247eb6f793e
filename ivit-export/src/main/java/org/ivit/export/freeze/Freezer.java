package org.ivit.export.freeze;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.image.PreprocessChange;
import org.ivit.core.io.Digests;
import org.ivit.core.io.TextFiles;
import org.ivit.export.model.FloatModel;
import org.ivit.export.model.FloatSource;
import org.ivit.export.model.IntegerModel;
import org.ivit.export.model.Model;
import org.ivit.export.model.ModelIdentity;
import org.ivit.train.loading.RecipePictures;
import org.ivit.train.recipe.Pictures;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;

/** Freezes runs. */
public final class Freezer {
  private Freezer() {}

  /** Which weights of a checkpoint are taken. */
  public enum Weights {
    /** The moving average where there is one, else the weights. */
    AUTO,
    /** The weights as trained. */
    RAW,
    /** The moving average. */
    EMA
  }

  /** Which checkpoint of a run is taken. */
  public enum Moment {
    /** The best in validation, or the last where nothing was validated. */
    BEST,
    /** The last. */
    LATEST
  }

  /**
   * Freezes a run to integers and proves every bound.
   *
   * @param version of this program, for the provenance
   * @throws InputException if the run cannot be exported: it says why
   */
  public static Frozen freeze(RunDirectory run, Moment moment, Weights choice, String version) {
    TrainingCheckpoint checkpoint = checkpoint(run, moment);
    if (checkpoint.scheme() == null) {
      throw new InputException(
          run.path()
              + ": trained in float precision, cannot be exported; expected a run with"
              + " precision: quantized, such as one that starts from its weights");
    }
    FloatWeights weights = weights(run, checkpoint, choice);
    IntegerGraph graph;
    try {
      graph =
          GraphBuilder.build(run.architecture(), weights, checkpoint.scheme(), checkpoint.ranges());
    } catch (InputException e) {
      throw new InputException(run.path() + ": cannot be exported: " + e.getMessage(), e);
    }
    IntegerCheckpoint integers =
        new IntegerCheckpoint(
            graph,
            RecipePictures.preprocess(run.recipe(), run.architecture()),
            classes(run).toList(run.architecture()),
            provenance(run, checkpoint, version));
    return new Frozen(integers, weights, checkpoint.scheme(), checkpoint.ranges());
  }

  private static FloatWeights weights(
      RunDirectory run, TrainingCheckpoint checkpoint, Weights choice) {
    if (choice == Weights.EMA && checkpoint.average() == null) {
      throw new InputException(run.path() + ": has no moving average of its weights");
    }
    return choice == Weights.RAW || checkpoint.average() == null
        ? checkpoint.weights()
        : checkpoint.average();
  }

  /**
   * Opens a run to be asked: in integers, or in floating point where it was trained so.
   *
   * @param transform what of its transform is wanted otherwise
   * @param config how it is run; an engine that it names is for integer models alone
   * @throws InputException if it is no run or cannot be used
   */
  public static Model open(Path path, PreprocessChange transform, EngineConfig config) {
    RunDirectory run = RunDirectory.open(path);
    TrainingCheckpoint checkpoint = run.best();
    Architecture architecture = run.architecture();
    String digest = Digests.file(weightsFile(run, checkpoint));
    ModelIdentity identity =
        new ModelIdentity(path.toString(), digest, "", "run", architecture.name());
    if (checkpoint.scheme() != null) {
      Frozen frozen = freeze(run, Moment.BEST, Weights.AUTO, "");
      return new IntegerModel(identity, frozen.checkpoint().with(transform), config);
    }
    String engine = config.namedEngine();
    if (engine != null) {
      throw new InputException(
          path
              + ": was trained in floating point, which no integer engine runs: found engine "
              + engine);
    }
    return new FloatModel(floats(run, Moment.BEST, Weights.AUTO).with(transform), config.pool());
  }

  /**
   * The float weights of a run, whatever its precision.
   *
   * @throws InputException if it has none such
   */
  public static FloatSource floats(RunDirectory run, Moment moment, Weights choice) {
    TrainingCheckpoint checkpoint = checkpoint(run, moment);
    FloatWeights weights = weights(run, checkpoint, choice);
    boolean average = checkpoint.average() != null && choice != Weights.RAW;
    Architecture architecture = run.architecture();
    return new FloatSource(
        new ModelIdentity(
            run.path().toString(),
            Digests.file(weightsFile(run, checkpoint, average)),
            "",
            "run",
            architecture.name()),
        architecture,
        weights,
        RecipePictures.preprocess(run.recipe(), architecture),
        classes(run));
  }

  private static TrainingCheckpoint checkpoint(RunDirectory run, Moment moment) {
    return moment == Moment.BEST ? run.best() : run.latest();
  }

  /** The file of the weights that {@link Weights#AUTO} takes. */
  public static Path weightsFile(RunDirectory run, TrainingCheckpoint checkpoint) {
    return weightsFile(run, checkpoint, checkpoint.average() != null);
  }

  private static Path weightsFile(
      RunDirectory run, TrainingCheckpoint checkpoint, boolean average) {
    return run.path()
        .resolve("checkpoints")
        .resolve(Integer.toString(checkpoint.state().step()))
        .resolve(average ? "ema.safetensors" : "weights.safetensors");
  }

  /** The classes of the run's pictures; unknown where these are not there any more. */
  private static ClassNames classes(RunDirectory run) {
    Recipe recipe = run.recipe();
    if (recipe.data().classes() != null && Files.exists(recipe.data().classes())) {
      return ClassNames.of(ClassList.read(recipe.data().classes()));
    }
    Pictures pictures =
        recipe.data().train() != null ? recipe.data().train() : recipe.data().validation();
    if (pictures == null || (pictures.path() != null && !Datasets.exists(pictures.path()))) {
      return ClassNames.UNKNOWN;
    }
    try (Dataset set = RecipePictures.open(pictures, recipe, run.architecture())) {
      return new ClassNames(set.classIds(), set.classNames());
    }
  }

  private static Provenance provenance(
      RunDirectory run, TrainingCheckpoint checkpoint, String version) {
    Path source = run.recipe().weights();
    boolean known = source != null && Files.isRegularFile(source);
    double best = checkpoint.state().bestTop1();
    String measure =
        run.architecture().answer() == Answer.CLASSES
            ? "top-1"
            : "mean cosine to the teacher's features";
    return new Provenance(
        source == null ? "" : String.valueOf(source.getFileName()),
        known ? Digests.file(source) : "",
        config(run),
        SourceDate.text(),
        version,
        best < 0
            ? ""
            : String.format(
                Locale.ROOT, "%s %.4f on the run's validation pictures", measure, best));
  }

  private static String config(RunDirectory run) {
    return TextFiles.read(run.path().resolve("config.yaml"), "the recipe of a run");
  }
}
