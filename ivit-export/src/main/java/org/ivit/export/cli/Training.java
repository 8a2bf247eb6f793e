package org.ivit.export.cli;

import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.train.loop.ConsoleMonitor;
import org.ivit.train.loop.RunDirectory;
import org.ivit.train.loop.Trainer;
import org.ivit.train.recipe.Recipe;

/** What {@code ivit train} does; apart from it, so that other commands load no Deeplearning4j. */
final class Training {
  private Training() {}

  /** Starts or resumes a run and says in a line what came of it. */
  static String run(Path config, List<String> overrides, Path resume, Path output) {
    Recipe recipe = config == null ? null : Recipe.read(config, overrides);
    RunDirectory run;
    try (ConsoleMonitor monitor = ConsoleMonitor.standard()) {
      if (resume == null) {
        run = Trainer.start(output == null ? recipe : recipe.withOutput(output), monitor);
      } else {
        RunDirectory stopped = RunDirectory.open(resume);
        if (recipe != null
            && !recipe.withOutput(resume).toYaml().equals(stopped.recipe().toYaml())) {
          throw new InputException(
              "--resume: " + config + " is not the recipe of " + resume + ", see its config.yaml");
        }
        run = Trainer.resume(stopped, monitor);
      }
    }
    return "the run is in " + run.path();
  }
}
