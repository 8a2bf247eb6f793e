package org.ivit.export.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.ivit.core.InputException;
import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.Clusters;
import org.ivit.train.loop.ConsoleMonitor;
import org.ivit.train.loop.RunDirectory;
import org.ivit.train.loop.Trainer;
import org.ivit.train.recipe.Precision;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.recipe.TrainingDevice;

/** What {@code ivit train} does; apart from it, so that other commands load no Deeplearning4j. */
final class Training {
  private Training() {}

  /** Starts or resumes a run and says what came of it, and what comes next. */
  static String run(
      Path config, List<String> overrides, Path resume, Path output, String device, String spark) {
    Recipe recipe = config == null ? null : Recipe.read(config, overrides);
    if (recipe != null && device != null) {
      recipe = recipe.withDevice(device(device));
    }
    RunDirectory run;
    try (Cluster cluster = spark == null ? null : Clusters.spark(spark);
        ConsoleMonitor monitor = ConsoleMonitor.standard()) {
      if (resume == null) {
        run = Trainer.start(output == null ? recipe : recipe.withOutput(output), cluster, monitor);
      } else {
        RunDirectory stopped = RunDirectory.open(resume);
        if (recipe != null
            && !recipe
                .withOutput(resume)
                .withDevice(stopped.recipe().device())
                .toYaml()
                .equals(stopped.recipe().toYaml())) {
          throw new InputException(
              "--resume: " + config + " is not the recipe of " + resume + ", see its config.yaml");
        }
        TrainingDevice where =
            recipe != null
                ? recipe.device()
                : device != null ? device(device) : stopped.recipe().device();
        run = Trainer.resume(stopped, where, cluster, monitor);
      }
    }
    Path path = run.path();
    String next =
        run.recipe().precision() == Precision.FLOAT
            ? NextCommand.of("evaluate", "--model", path, "--data", "DIR")
            : NextCommand.of("export", "--run", path, "--output", path + ".ivit.safetensors");
    return "the run is in " + path + System.lineSeparator() + next;
  }

  private static TrainingDevice device(String name) {
    return TrainingDevice.valueOf(name.toUpperCase(Locale.ROOT));
  }
}
