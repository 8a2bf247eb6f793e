package org.ivit.export.quickstart;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.ProceduralPictures;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.io.AtomicFiles;
import org.ivit.export.evaluate.Answers;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.evaluate.Proportion;
import org.ivit.export.freeze.Freezer;
import org.ivit.export.freeze.Frozen;
import org.ivit.export.freeze.IdentityCheck;
import org.ivit.export.model.Model;
import org.ivit.export.report.ReportWriter;
import org.ivit.train.loop.Trainer;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;

/**
 * Trains a small DeiT in float on procedural pictures, fine-tunes it in integers, exports it,
 * evaluates both on pictures that neither has seen, and checks that engines and training network
 * give the same logits.
 */
public final class Quickstart {
  /** Name of the integer checkpoint, in the folder of everything. */
  public static final String CHECKPOINT = "quickstart.ivit.safetensors";

  private static final String FLOAT = "quickstart_float.yaml";
  private static final String QUANTIZED = "quickstart_qat.yaml";

  /** Its pictures are neither trained nor validated on. */
  private static final long TEST_SEED = 3;

  private static final int TEST_PICTURES = 1000;
  private static final int BATCH = 32;

  private final Path output;
  private final String version;
  private final PrintWriter out;

  /**
   * What came of it.
   *
   * @param floatModel accuracy of the float model
   * @param integerModel accuracy of the integer model
   * @param comparison of the integer model with the float one
   * @param identity of engines and training network
   * @param report the HTML file
   */
  public record Result(
      Evaluation floatModel,
      Evaluation integerModel,
      Comparison comparison,
      IdentityCheck identity,
      Path report) {}

  /**
   * @param output folder of everything it writes; what an earlier quickstart left there is replaced
   * @param version of this program
   * @param out where the table goes
   */
  public Quickstart(Path output, String version, PrintWriter out) {
    this.output = output;
    this.version = version;
    this.out = out;
  }

  /**
   * Runs it.
   *
   * @param monitor hears how training goes on
   * @param overrides {@code key.path=value} for both recipes
   */
  public Result run(TrainingMonitor monitor, List<String> overrides) {
    long start = System.nanoTime();
    Path floatFolder = output.resolve("float");
    Path integerFolder = output.resolve("quantized");
    AtomicFiles.deleteDirectory(floatFolder);
    AtomicFiles.deleteDirectory(integerFolder);
    say("1  train a small DeiT in float");
    RunDirectory floats = Trainer.start(recipe(FLOAT, overrides).withOutput(floatFolder), monitor);
    Path weights = Freezer.weightsFile(floats, floats.latest());
    say("2  calibrate and fine-tune it in integers");
    List<String> second = new java.util.ArrayList<>(overrides);
    second.add("weights=\"" + weights.toString().replace("\\", "\\\\") + "\"");
    RunDirectory integers =
        Trainer.start(recipe(QUANTIZED, second).withOutput(integerFolder), monitor);
    say("3  freeze to integers, evaluate both on " + TEST_PICTURES + " unseen pictures");
    Frozen frozen = Freezer.freeze(integers, Freezer.Moment.LATEST, Freezer.Weights.AUTO, version);
    Path file = output.resolve(CHECKPOINT);
    CheckpointFile.write(file, frozen.checkpoint());
    int size = integers.architecture().image().side();
    try (Dataset test =
            new ProceduralPictures(
                TEST_SEED, 0, TEST_PICTURES, size, ProceduralPictures.Strengths.DEFAULT);
        Model floatModel = Models.open(floatFolder, ModelReading.UNSAID, EngineConfig.standard());
        Model integerModel = Models.open(file, ModelReading.UNSAID, EngineConfig.standard())) {
      Answers floatAnswers = answers(floatModel, test);
      Answers integerAnswers = answers(integerModel, test);
      IdentityCheck identity =
          IdentityCheck.run(
              frozen, frozen.checkpoint(), test, test.size(), List.of("reference", "cpu"), n -> {});
      Comparison comparison =
          Comparison.of(integerAnswers.logits(), floatAnswers.logits(), integerAnswers.labels());
      Result result =
          new Result(
              Evaluation.of(floatAnswers.logits(), floatAnswers.labels()),
              Evaluation.of(integerAnswers.logits(), integerAnswers.labels()),
              comparison,
              identity,
              output.resolve("report.html"));
      ReportWriter.write(
          result.report,
          QuickstartReport.of(
              result,
              test,
              floatAnswers,
              integerAnswers,
              floats,
              integers,
              weights,
              file,
              frozen.checkpoint()));
      print(result, weights, file, (System.nanoTime() - start) / 1e9);
      return result;
    }
  }

  private static Answers answers(Model model, Dataset test) {
    return Answers.of(
        model,
        test,
        OnCorrupt.FAIL,
        BATCH,
        Runtime.getRuntime().availableProcessors(),
        count -> {});
  }

  private static Recipe recipe(String name, List<String> overrides) {
    try (InputStream in = Quickstart.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + name);
      }
      return Recipe.parse(name, new String(in.readAllBytes(), StandardCharsets.UTF_8), overrides);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void say(String line) {
    out.println(line);
    out.flush();
  }

  private void print(Result result, Path weights, Path file, double seconds) {
    out.println();
    out.printf("%-14s %8s %28s %10s%n", "model", "top-1", "95 % interval", "file");
    row("float", result.floatModel.top1(), weights);
    row("integers only", result.integerModel.top1(), file);
    out.println();
    Proportion agreement = result.comparison.agreement();
    out.printf(
        Locale.ROOT,
        "agreement %.1f %%, mean KL divergence %.4f, McNemar's test p = %.3f%n",
        100 * agreement.fraction(),
        result.comparison.meanKl(),
        result.comparison.mcnemar().pValue());
    out.printf(
        Locale.ROOT,
        "logits of engines %s and of the training network on %d pictures: %s%n",
        String.join(", ", result.identity.engines()),
        result.identity.pictures(),
        result.identity.differences() == 0
            ? "identical"
            : result.identity.differences() + " differ");
    out.printf(Locale.ROOT, "report    %s   (%.0f s in all)%n", result.report, seconds);
    out.flush();
  }

  private void row(String name, Proportion top1, Path file) {
    out.printf(
        Locale.ROOT,
        "%-14s %6.1f %% %15.1f to %5.1f %% %8.0f kB%n",
        name,
        100 * top1.fraction(),
        100 * top1.low(),
        100 * top1.high(),
        size(file) / 1e3);
  }

  static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
