package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.Dequantized;
import org.ivit.core.graph.FloatWeights;

/**
 * Measures the CPU engine beside ONNX Runtime on the same weights: rounds in turn, so that a busy
 * machine is as busy for each. Started by {@code scripts/bench-cpu}; no test.
 */
final class CpuComparison {
  private static final double ROUND_SECONDS = 1;

  private CpuComparison() {}

  @FunctionalInterface
  private interface Batch {
    void run() throws OrtException;
  }

  /**
   * Compares.
   *
   * @param arguments integer checkpoint; integer checkpoint for the QDQ model, or {@code same};
   *     batch sizes with commas; threads; rounds; JSON file
   */
  public static void main(String[] arguments) throws OrtException, IOException {
    IntegerCheckpoint integers = CheckpointFile.read(Path.of(arguments[0]));
    IntegerCheckpoint pairs =
        arguments[1].equals("same") ? integers : CheckpointFile.read(Path.of(arguments[1]));
    int threads = Integer.parseInt(arguments[3]);
    int rounds = Integer.parseInt(arguments[4]);
    System.setProperty("ivit.threads", arguments[3]);
    Architecture architecture = integers.graph().architecture();
    FloatWeights weights = Dequantized.of(integers.graph());
    ModelProto floats =
        OnnxExport.floating(
            architecture,
            new FloatWeights(weights.values(), Map.of()),
            FloatOnnxTest.description(architecture));
    ModelProto unsigned = quantized(pairs, QdqWeights.UNSIGNED);
    ModelProto signed = quantized(pairs, QdqWeights.SIGNED);
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("model", architecture.name());
    json.put("date", LocalDate.now(ZoneOffset.UTC).toString());
    json.put("processor", processor());
    json.put("java", Runtime.version().toString());
    json.put("onnxRuntime", OrtEnvironment.getEnvironment().getVersion());
    json.put("threads", threads);
    json.put("rounds", rounds);
    ArrayNode results = json.putArray("results");
    try (Engine engine = Engines.open(integers.graph());
        Ort ortFloat = new Ort(floats.toByteArray(), architecture.image(), threads);
        Ort ortUnsigned = new Ort(unsigned.toByteArray(), architecture.image(), threads);
        Ort ortSigned = new Ort(signed.toByteArray(), architecture.image(), threads)) {
      json.put("engine", engine.description());
      System.out.printf(
          "%s, ONNX Runtime %s%n", engine.description(), json.get("onnxRuntime").asText());
      for (String size : arguments[2].split(",", -1)) {
        int batch = Integer.parseInt(size);
        int pixels = 3 * architecture.image() * architecture.image() * batch;
        Random random = new Random(1);
        byte[] codes = new byte[pixels];
        random.nextBytes(codes);
        float[] values = new float[pixels];
        for (int i = 0; i < pixels; i++) {
          values[i] = codes[i] / 128f;
        }
        Map<String, Batch> peers = new LinkedHashMap<>();
        peers.put("ivit", () -> engine.logits(codes, batch));
        peers.put("onnxruntime float32", () -> ortFloat.logits(values, batch));
        peers.put("onnxruntime QDQ", () -> ortUnsigned.logits(values, batch));
        peers.put("onnxruntime QDQ signed", () -> ortSigned.logits(values, batch));
        compare(peers, batch, rounds, results);
      }
    }
    Files.writeString(
        Path.of(arguments[5]),
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
  }

  private static ModelProto quantized(IntegerCheckpoint integers, QdqWeights form) {
    return OnnxExport.quantized(
        integers.graph(), form, FloatOnnxTest.description(integers.graph().architecture()));
  }

  private static void compare(Map<String, Batch> peers, int batch, int rounds, ArrayNode results)
      throws OrtException {
    Map<String, List<Double>> times = new LinkedHashMap<>();
    for (int round = -1; round < rounds; round++) {
      for (Map.Entry<String, Batch> peer : peers.entrySet()) {
        double time = milliseconds(peer.getValue()) / batch;
        if (round >= 0) {
          times.computeIfAbsent(peer.getKey(), name -> new ArrayList<>()).add(time);
        }
      }
    }
    double own = median(times.get("ivit"));
    for (Map.Entry<String, List<Double>> entry : times.entrySet()) {
      double[] sorted = entry.getValue().stream().mapToDouble(t -> t).sorted().toArray();
      double median = median(entry.getValue());
      System.out.printf(
          Locale.ROOT,
          "batch %2d  %5.2f x  %-22s %8.2f ms a picture (%.2f to %.2f)%n",
          batch,
          median / own,
          entry.getKey(),
          median,
          sorted[0],
          sorted[sorted.length - 1]);
      ObjectNode row = results.addObject();
      row.put("batch", batch);
      row.put("peer", entry.getKey());
      row.put("ratio", median / own);
      row.put("medianMilliseconds", median);
      row.put("least", sorted[0]);
      row.put("most", sorted[sorted.length - 1]);
    }
  }

  /** Median time of a batch over a round. */
  private static double milliseconds(Batch batch) throws OrtException {
    List<Double> times = new ArrayList<>();
    long end = System.nanoTime() + (long) (ROUND_SECONDS * 1e9);
    do {
      long begin = System.nanoTime();
      batch.run();
      times.add((System.nanoTime() - begin) / 1e6);
    } while (System.nanoTime() < end);
    return median(times);
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(t -> t).toArray();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private static String processor() throws IOException {
    Path file = Path.of("/proc/cpuinfo");
    if (!Files.exists(file)) {
      return System.getProperty("os.arch");
    }
    return Files.readAllLines(file).stream()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }
}
