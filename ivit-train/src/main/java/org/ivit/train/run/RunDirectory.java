package org.ivit.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.FileFailures;
import org.ivit.train.recipe.Recipe;

/**
 * The folder of a run: {@code config.yaml} as resolved, {@code metrics.csv}, {@code
 * checkpoints/STEP/}, and the files {@code latest} and {@code best}, which name a step.
 */
public final class RunDirectory {
  private static final String CHECKPOINTS = "checkpoints";
  private static final String LATEST = "latest";
  private static final String BEST = "best";

  private final Path path;
  private Recipe recipe;
  private final Architecture architecture;

  private RunDirectory(Path path, Recipe recipe) {
    this.path = path;
    this.recipe = recipe;
    this.architecture = architecture(recipe);
  }

  /** The architecture that a recipe names or describes. */
  public static Architecture architecture(Recipe recipe) {
    return recipe.architecture().isTextual()
        ? Architectures.byName(recipe.architecture().asText())
        : Architectures.parse(recipe.architecture());
  }

  /**
   * Chooses the folder of a new run; {@link #begin} writes to it first.
   *
   * @throws InputException if the recipe's output folder holds a run already, or cannot be written
   */
  public static RunDirectory create(Recipe recipe) {
    Path path = recipe.output();
    if (Files.exists(path.resolve(LATEST))) {
      throw new InputException(
          path + ": holds a run already, expected --resume " + path + " or another --output");
    }
    requireFolder(path);
    return new RunDirectory(path, recipe);
  }

  /** What cannot be written is found out before calibration. */
  private static void requireFolder(Path path) {
    Path there = path.toAbsolutePath();
    while (there.getParent() != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (!Files.isDirectory(there)) {
      throw new InputException(
          path + ": cannot be written: " + there + " is a file, expected a folder");
    }
    if (!Files.isWritable(there)) {
      throw new InputException(path + ": cannot be written: " + there + ": permission denied");
    }
  }

  /**
   * Writes the recipe as resolved.
   *
   * @param resolved that of the folder, with what calibration chose
   */
  public void begin(Recipe resolved) {
    recipe = resolved;
    write(Recipe.FILE, recipe.toYaml());
  }

  /**
   * Opens a run that has at least one checkpoint.
   *
   * @throws InputException if it is none
   */
  public static RunDirectory open(Path path) {
    Path config = path.resolve(Recipe.FILE);
    if (!Files.isRegularFile(config)) {
      throw new InputException(path + ": is no run directory, found no " + Recipe.FILE + " in it");
    }
    RunDirectory run = new RunDirectory(path, Recipe.read(config).withOutput(path));
    run.step(LATEST);
    return run;
  }

  /** Whether a folder looks like a run. */
  public static boolean isRun(Path path) {
    return Files.isRegularFile(path.resolve(Recipe.FILE));
  }

  /** The folder. */
  public Path path() {
    return path;
  }

  /** The recipe as resolved. */
  public Recipe recipe() {
    return recipe;
  }

  /** The architecture of the recipe. */
  public Architecture architecture() {
    return architecture;
  }

  /** The metrics, one line a step and a validation. */
  public Path metrics() {
    return path.resolve("metrics.csv");
  }

  /** Where the run stood at its last checkpoint. */
  public TrainingState state() {
    return TrainingCheckpoint.readState(checkpoint(step(LATEST)));
  }

  /** The last checkpoint. */
  public TrainingCheckpoint latest() {
    return TrainingCheckpoint.read(checkpoint(step(LATEST)), architecture);
  }

  /** The checkpoint with the best validation, or the last one where nothing was validated. */
  public TrainingCheckpoint best() {
    String name = Files.exists(path.resolve(BEST)) ? BEST : LATEST;
    return TrainingCheckpoint.read(checkpoint(step(name)), architecture);
  }

  /**
   * The file of the weights of the checkpoint with the best validation, or of the last one where
   * nothing was validated; the moving average where there is one.
   */
  public Path bestWeights() {
    Path checkpoint = checkpoint(step(Files.exists(path.resolve(BEST)) ? BEST : LATEST));
    Path average = checkpoint.resolve(TrainingCheckpoint.AVERAGE);
    return Files.exists(average) ? average : checkpoint.resolve(TrainingCheckpoint.WEIGHTS);
  }

  private int step(String name) {
    Path file = path.resolve(name);
    try {
      return Integer.parseInt(Files.readString(file, StandardCharsets.UTF_8).strip());
    } catch (NoSuchFileException e) {
      throw new InputException(
          path
              + ": the run was stopped before its first checkpoint, so there is nothing to go on"
              + " with: start it again with --config",
          e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    } catch (NumberFormatException e) {
      throw new InputException(file + ": expected the number of a step", e);
    }
  }

  private Path checkpoint(int step) {
    return path.resolve(CHECKPOINTS).resolve(Integer.toString(step));
  }

  /** Writes a checkpoint, makes it the last one, and removes those that are not kept. */
  public void save(TrainingCheckpoint checkpoint) {
    TrainingState state = checkpoint.state();
    checkpoint.write(checkpoint(state.step()), architecture);
    write(LATEST, state.step() + "\n");
    if (state.bestStep() == state.step()) {
      write(BEST, state.step() + "\n");
    }
    prune(state);
  }

  private void prune(TrainingState state) {
    List<Integer> steps = new ArrayList<>();
    Path folder = path.resolve(CHECKPOINTS);
    try (Stream<Path> entries = Files.list(folder)) {
      entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.matches("\\d+"))
          .forEach(name -> steps.add(Integer.parseInt(name)));
      steps.sort(null);
      for (int i = 0; i < steps.size() - recipe.checkpoints().keep(); i++) {
        if (steps.get(i) != state.bestStep()) {
          AtomicFiles.deleteDirectory(checkpoint(steps.get(i)));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(folder + ": cannot be tidied: " + FileFailures.reason(e), e);
    }
  }

  private void write(String name, String text) {
    AtomicFiles.write(path.resolve(name), out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }
}
