package org.ivit.export.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Timings;
import org.ivit.core.image.Rgb;
import org.ivit.export.cli.console.BusyMachine;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.JsonOption;
import org.ivit.export.cli.option.ModelOptions;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.model.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit bench}: how long a model takes for a batch. */
@Command(
    name = "bench",
    footerHeading = "%nExample:%n  ivit bench --model vit.ivit.safetensors --batch 1,8%n",
    description = "Measures how long a model takes for a batch of decoded pictures.")
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private ModelOptions options;

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
    json.validate();
    PrintWriter out = json.text(spec);
    int processors = Runtime.getRuntime().availableProcessors();
    double load = BusyMachine.load();
    try (Model model = options.open()) {
      Backend backend = model.backend();
      List<String> warnings = new ArrayList<>();
      describe(out, model);
      warn(BusyMachine.ofLoad(load, processors, backend.threads()), warnings);
      ArrayNode rows = JsonNodeFactory.instance.arrayNode();
      out.println("batch   median ms    p90 ms    p99 ms    min ms   ms/picture   pictures/s");
      for (int batch : batches) {
        Timings times = measure(model, batch);
        out.println(line(batch, times));
        out.flush();
        warn(BusyMachine.ofSpread(batch, times), warnings);
        rows.add(row(batch, times));
      }
      json.write(spec, result(model, load, processors, warnings, rows));
    }
    return 0;
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
      Model model, double load, int processors, List<String> warnings, ArrayNode rows) {
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    result.put("answer", model.answer().toString());
    result.put("engine", model.engine());
    result.put("threads", model.backend().threads());
    result.set("backend", EvaluationJson.backend(model.backend()));
    result.set("model", EvaluationJson.model(model.identity()));
    result.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    result.put("machine", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    result.put("processors", processors);
    if (load >= 0) {
      result.put("load_average", load);
    }
    ArrayNode said = result.putArray("warnings");
    warnings.forEach(said::add);
    result.set("batches", rows);
    return result;
  }

  /** Seconds of each run, after a warm-up. */
  private Timings measure(Model model, int batch) {
    Size size = model.preprocess().crop();
    Random random = new Random(1);
    List<Rgb> pictures = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      byte[] pixels = new byte[3 * size.area()];
      random.nextBytes(pixels);
      pictures.add(new Rgb(size.width(), size.height(), pixels));
    }
    run(model, pictures, seconds / 2);
    return run(model, pictures, seconds);
  }

  private static Timings run(Model model, List<Rgb> pictures, double seconds) {
    boolean features = model.answer() == Answer.FEATURES;
    List<Double> times = new ArrayList<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      long start = System.nanoTime();
      if (features) {
        model.features(pictures);
      } else {
        model.logits(pictures);
      }
      times.add((System.nanoTime() - start) / 1e9);
    } while (System.nanoTime() < end);
    return new Timings(times.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
