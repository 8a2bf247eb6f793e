package org.ivit.export.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import org.ivit.core.image.Rgb;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.evaluate.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit bench}: how long a model takes for a batch. */
@Command(
    name = "bench",
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

  @Option(names = "--json", paramLabel = "F", description = "Write the result as JSON.")
  private Path json;

  @Override
  public Integer call() {
    options.validate();
    for (int batch : batches) {
      Checks.atLeast("--batch", batch, 1);
    }
    Checks.positive("--seconds", seconds);
    Checks.writable("--json", json);
    PrintWriter out = spec.commandLine().getOut();
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    ArrayNode rows = JsonNodeFactory.instance.arrayNode();
    try (Model model = options.open()) {
      out.printf(
          "%s (%s, %s)%n",
          model.identity().path(), model.identity().kind(), model.identity().architecture());
      out.printf("engine %s, %d threads%n", model.engine(), options.engine.threads());
      out.println("batch   median ms   best ms   ms/picture   pictures/s");
      for (int batch : batches) {
        double[] times = measure(model, batch);
        double median = times[times.length / 2];
        out.printf(
            Locale.ROOT,
            "%5d %11.2f %9.2f %12.2f %12.1f%n",
            batch,
            1e3 * median,
            1e3 * times[0],
            1e3 * median / batch,
            batch / median);
        out.flush();
        ObjectNode row = rows.addObject();
        row.put("batch", batch);
        row.put("runs", times.length);
        row.put("median_ms", 1e3 * median);
        row.put("best_ms", 1e3 * times[0]);
        row.put("images_per_second", batch / median);
      }
      result.put("engine", model.engine());
      result.put("threads", options.engine.threads());
      result.set("model", EvaluationJson.model(model.identity()));
      result.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
      result.put("machine", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
      result.set("batches", rows);
    }
    if (json != null) {
      EvaluationJson.write(json, result);
    }
    return 0;
  }

  /** Seconds of each run, ascending, after a warm-up. */
  private double[] measure(Model model, int batch) {
    int side = model.preprocess().crop();
    Random random = new Random(1);
    List<Rgb> pictures = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      byte[] pixels = new byte[3 * side * side];
      random.nextBytes(pixels);
      pictures.add(new Rgb(side, side, pixels));
    }
    run(model, pictures, seconds / 2);
    return run(model, pictures, seconds);
  }

  private static double[] run(Model model, List<Rgb> pictures, double seconds) {
    List<Double> times = new ArrayList<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      long start = System.nanoTime();
      model.logits(pictures);
      times.add((System.nanoTime() - start) / 1e9);
    } while (System.nanoTime() < end);
    double[] sorted = times.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    return sorted;
  }
}
