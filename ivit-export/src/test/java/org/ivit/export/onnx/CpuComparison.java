package org.ivit.export.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.ivit.core.engine.Processor;
import org.ivit.core.io.AtomicFiles;
import org.ivit.export.cli.console.BusyMachine;
import org.ivit.export.onnx.ModelComparison.Ratios;

/**
 * Measures the CPU engine beside ONNX Runtime on the same weights: rounds in turn, so that a busy
 * machine is as busy for each. Started by {@code scripts/bench-cpu}; no test.
 */
final class CpuComparison {
  /** What {@code scripts/hide-cpu} left of the processor. */
  private static final String LEVEL = System.getenv("IVIT_HIDE_CPU");

  private CpuComparison() {}

  /**
   * Compares, prints a line for each engine and all ratios in the last one, and writes JSON.
   *
   * @param arguments JSON file, or folder for it; batch sizes with commas; threads; rounds; then
   *     for each model an integer checkpoint, and one for its QDQ model, or {@code same}
   */
  public static void main(String[] arguments) throws OrtException, IOException {
    int[] batches =
        Arrays.stream(arguments[1].split(",", -1)).mapToInt(Integer::parseInt).toArray();
    int threads = Integer.parseInt(arguments[2]);
    int rounds = Integer.parseInt(arguments[3]);
    double load = BusyMachine.load();
    ObjectNode json = machine(load);
    json.put("threads", threads);
    json.put("rounds", rounds);
    ObjectNode exact = json.putObject("qdqExactHere");
    boolean signedExact = LargeProduct.isExact(QdqWeights.SIGNED);
    exact.put("unsigned", LargeProduct.isExact(QdqWeights.UNSIGNED));
    exact.put("signed", signedExact);
    warn(BusyMachine.ofLoad(load, Runtime.getRuntime().availableProcessors(), threads), json);
    ArrayNode models = json.putArray("models");
    List<String> ratios = new ArrayList<>();
    String kernels = "";
    for (int i = 4; i < arguments.length; i += 2) {
      Path pairs = Path.of(arguments[i + 1].equals("same") ? arguments[i] : arguments[i + 1]);
      try (ModelComparison model =
          new ModelComparison(Path.of(arguments[i]), pairs, threads, signedExact)) {
        kernels = model.kernels();
        List<Ratios> found = model.measure(batches, rounds, models.addObject());
        ratios.add(line(model.name(), found));
      }
    }
    json.put("loadAfter", BusyMachine.load());
    Path file = Path.of(arguments[0]);
    if (Files.isDirectory(file)) {
      String name = models.size() == 1 ? models.get(0).get("model").asText() + "-" : "";
      file = file.resolve("cpu-" + name + kernels + "-" + LocalDate.now(ZoneOffset.UTC) + ".json");
    }
    byte[] text = new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
    AtomicFiles.write(
        file,
        stream -> {
          stream.write(text);
          stream.write('\n');
        });
    System.out.println("written: " + file);
    System.out.println("over float32, over INT8 QDQ: " + String.join("; ", ratios));
  }

  private static ObjectNode machine(double load) throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("date", Instant.now().toString());
    json.put("commit", System.getProperty("ivit.bench.commit", "unknown"));
    ObjectNode processor = json.putObject("processor");
    processor.put("name", Processor.name());
    Path cpuinfo = Path.of("/proc/cpuinfo");
    if (Files.exists(cpuinfo)) {
      // Virtual machines name the processor vaguely; its family and model tell which it is.
      List<String> lines = Files.readAllLines(cpuinfo, StandardCharsets.ISO_8859_1);
      for (String key : List.of("cpu family", "model", "stepping")) {
        lines.stream()
            .filter(line -> line.matches(key + "\\s*:.*"))
            .findFirst()
            .ifPresent(line -> processor.put(key, line.substring(line.indexOf(':') + 1).strip()));
      }
    }
    if (LEVEL != null) {
      json.put("restrictedTo", LEVEL);
    }
    json.put("processors", Runtime.getRuntime().availableProcessors());
    json.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    json.put("java", Runtime.version().toString());
    json.put("onnxRuntime", OrtEnvironment.getEnvironment().getVersion());
    json.put("loadBefore", load);
    return json;
  }

  private static void warn(String warning, ObjectNode json) {
    if (warning != null) {
      System.err.println("bench-cpu: " + warning);
      json.put("warning", warning);
    }
  }

  private static String line(String model, List<Ratios> ratios) {
    StringBuilder line = new StringBuilder(model);
    String separator = "";
    for (Ratios r : ratios) {
      line.append(
          String.format(
              Locale.ROOT,
              "%s batch %d %.2f x %.2f x%s",
              separator,
              r.batch(),
              r.overFloat(),
              r.overInt8(),
              r.exact()
                  ? ""
                  : String.format(Locale.ROOT, " (saturates; exact %.2f x)", r.overExactInt8())));
      separator = ",";
    }
    return line.toString();
  }
}
