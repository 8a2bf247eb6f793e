package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Gpu;
import org.ivit.export.cli.console.NextCommand;
import org.ivit.export.cli.console.StopSignals;
import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.Clusters;
import org.ivit.train.loop.Trainer;
import org.ivit.train.monitor.ConsoleMonitor;
import org.ivit.train.monitor.RunStoppedException;
import org.ivit.train.recipe.Precision;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.recipe.TrainingDevice;
import org.ivit.train.run.RunDirectory;
import picocli.CommandLine.ExitCode;

/** What {@code ivit train} does; apart from it, so that other commands load no Deeplearning4j. */
final class Training {
  private Training() {}

  /** The options of the command, null where they are not given, and the GPU that is meant. */
  record Request(
      Path config,
      List<String> overrides,
      Path resume,
      Path output,
      String device,
      Gpu gpu,
      String spark) {}

  /**
   * Starts or resumes a run and says what came of it, and what comes next.
   *
   * @return the exit code
   */
  static int run(Request request, PrintWriter out, PrintWriter err) {
    try (StopSignals signals = StopSignals.listen(err)) {
      try (ConsoleMonitor monitor = ConsoleMonitor.standard(signals::asked)) {
        RunDirectory run = run(request, monitor);
        out.println("the run is in " + run.path());
        out.println(next(run));
        return ExitCode.OK;
      } catch (RunStoppedException e) {
        err.println("ivit: " + e.getMessage());
        err.flush();
        return signals.code();
      }
    }
  }

  private static String next(RunDirectory run) {
    Path path = run.path();
    return run.recipe().precision() == Precision.FLOAT
        ? NextCommand.of("evaluate", "--model", path, "--data", "DIR")
        : NextCommand.of("export", "--run", path, "--output", path + ".ivit.safetensors");
  }

  private static RunDirectory run(Request request, ConsoleMonitor monitor) {
    Path config = request.config;
    Path resume = request.resume;
    String device = request.device;
    Recipe recipe = config == null ? null : Recipe.read(config, request.overrides);
    if (recipe != null && device != null) {
      recipe = recipe.withDevice(device(device));
    }
    try (Cluster cluster = request.spark == null ? null : Clusters.spark(request.spark)) {
      if (resume == null) {
        return Trainer.start(
            request.output == null ? recipe : recipe.withOutput(request.output),
            cluster,
            request.gpu,
            monitor);
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
        return Trainer.resume(stopped, where, cluster, request.gpu, monitor);
      }
    }
  }

  private static TrainingDevice device(String name) {
    return TrainingDevice.valueOf(name.toUpperCase(Locale.ROOT));
  }
}
