package org.ivit.export.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Timings;
import org.ivit.core.image.PreprocessChange;
import org.ivit.export.cli.console.BusyMachine;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.JsonOption;
import org.ivit.export.cli.option.ModelOptions;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.evaluate.Models;
import org.ivit.export.model.Model;
import org.ivit.export.model.ModelTimes;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit bench}: how long a model takes for a batch. */
@Command(
    name = "bench",
    footerHeading =
        "%nExamples:%n  ivit bench --model vit.ivit.safetensors --batch 1,8%n"
            + "  ivit bench --model vit.ivit.safetensors --beside vit.4bit.ivit.safetensors%n",
    description =
        "Measures how long a model takes for a batch of decoded pictures, alone or in turns with"
            + " others.")
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private ModelOptions options;

  @Option(
      names = "--beside",
      paramLabel = "F",
      description =
          "Another model, as --model: all are called in turns, so that other work on the machine"
              + " slows each alike, and the ratio is told. Repeatable.")
  private List<Path> beside = new ArrayList<>();

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,8",
      description = "Batch sizes (default: ${DEFAULT-VALUE}).")
  private List<Integer> batches = new ArrayList<>();

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "5",
      description = "How long to measure each, after a warm-up of half that (default: 5).")
  private double seconds;

  @Mixin private JsonOption json;

  @Override
  public Integer call() {
    options.validate();
    for (int batch : batches) {
      Checks.atLeast("--batch", batch, 1);
    }
    Checks.positive("--seconds", seconds);
    beside.forEach(other -> Checks.exists("--beside", other));
    json.validate();
    PrintWriter out = json.text(spec);
    int processors = Runtime.getRuntime().availableProcessors();
    double load = BusyMachine.load();
    List<Model> models = new ArrayList<>();
    try {
      models.add(options.open());
      for (Path other : beside) {
        models.add(
            Models.open(other, options.reading(PreprocessChange.NONE), options.engine().config()));
      }
      List<String> warnings = new ArrayList<>();
      models.forEach(model -> describe(out, model));
      warn(BusyMachine.ofLoad(load, processors, models.get(0).backend().threads()), warnings);
      List<ArrayNode> rows =
          models.stream().map(model -> JsonNodeFactory.instance.arrayNode()).toList();
      out.println("batch   median ms    p90 ms    p99 ms    min ms   ms/picture   pictures/s");
      for (int batch : batches) {
        List<Timings> times = ModelTimes.inTurns(models, batch, seconds);
        for (int i = 0; i < models.size(); i++) {
          String ratio =
              i == 0 ? "" : "   " + faster(times.get(0), times.get(i)) + " " + beside.get(i - 1);
          out.println(line(batch, times.get(i)) + ratio);
          out.flush();
          warn(BusyMachine.ofSpread(batch, times.get(i)), warnings);
          rows.get(i).add(row(batch, times.get(i)));
        }
      }
      json.write(spec, result(models, load, processors, warnings, rows));
    } finally {
      models.forEach(Model::close);
    }
    return 0;
  }

  /** How many times as fast a model is as the first, by the medians. */
  private static String faster(Timings first, Timings other) {
    return String.format(Locale.ROOT, "%.2f x as fast:", first.median() / other.median());
  }

  private static void describe(PrintWriter out, Model model) {
    out.printf(
        "%s (%s, %s)%n",
        model.identity().path(), model.identity().kind(), model.identity().architecture());
    Backend backend = model.backend();
    out.printf("engine     %s, %d threads%n", model.engine(), backend.threads());
    out.printf("kernels    %s%n", backend.line());
    out.printf("processor  %s%n", backend.processor());
    out.flush();
  }

  /** Says a warning, if there is one, on the error stream, and keeps it for the result. */
  private void warn(String warning, List<String> warnings) {
    if (warning != null) {
      spec.commandLine().getErr().println("ivit: " + warning);
      spec.commandLine().getErr().flush();
      warnings.add(warning);
    }
  }

  private static String line(int batch, Timings times) {
    return String.format(
        Locale.ROOT,
        "%5d %11.2f %9.2f %9.2f %9.2f %12.2f %12.1f",
        batch,
        1e3 * times.median(),
        1e3 * times.quantile(0.9),
        1e3 * times.quantile(0.99),
        1e3 * times.least(),
        1e3 * times.median() / batch,
        batch / times.median());
  }

  private static ObjectNode row(int batch, Timings times) {
    ObjectNode row = JsonNodeFactory.instance.objectNode();
    row.put("batch", batch);
    row.put("runs", times.calls());
    row.put("median_ms", 1e3 * times.median());
    row.put("p90_ms", 1e3 * times.quantile(0.9));
    row.put("p99_ms", 1e3 * times.quantile(0.99));
    row.put("best_ms", 1e3 * times.least());
    row.put("images_per_second", batch / times.median());
    return row;
  }

  private static ObjectNode result(
      List<Model> models,
      double load,
      int processors,
      List<String> warnings,
      List<ArrayNode> rows) {
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    describe(result, models.get(0), rows.get(0));
    result.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    result.put("machine", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    result.put("processors", processors);
    if (load >= 0) {
      result.put("load_average", load);
    }
    ArrayNode said = result.putArray("warnings");
    warnings.forEach(said::add);
    if (models.size() > 1) {
      ArrayNode others = result.putArray("beside");
      for (int i = 1; i < models.size(); i++) {
        describe(others.addObject(), models.get(i), rows.get(i));
      }
    }
    return result;
  }

  private static void describe(ObjectNode result, Model model, ArrayNode rows) {
    result.put("answer", model.answer().toString());
    result.put("engine", model.engine());
    result.put("threads", model.backend().threads());
    result.set("backend", EvaluationJson.backend(model.backend()));
    result.set("model", EvaluationJson.model(model.identity()));
    result.set("batches", rows);
  }
}
