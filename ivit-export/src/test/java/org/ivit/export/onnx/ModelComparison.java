package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.build.Dequantized;

/** One model on the CPU engine and, as float32 and in both forms of QDQ, under ONNX Runtime. */
final class ModelComparison implements AutoCloseable {
  private static final double ROUND_SECONDS = 1;

  private static final String IVIT = "ivit";
  private static final String FLOAT = "onnxruntime float32";
  private static final String UNSIGNED = "onnxruntime QDQ unsigned";
  private static final String SIGNED = "onnxruntime QDQ signed";

  private final IntegerCheckpoint integers;
  private final IntegerCheckpoint pairs;
  private final boolean signedExact;
  private final Engine engine;
  private final Ort ortFloat;
  private final Ort ortUnsigned;
  private final Ort ortSigned;

  /**
   * How many times as long ONNX Runtime takes.
   *
   * @param batch pictures a call
   * @param overFloat as float32
   * @param overInt8 in the faster of both forms of QDQ
   * @param overExactInt8 in the faster one of those whose products do not saturate here
   */
  record Ratios(int batch, double overFloat, double overInt8, double overExactInt8) {
    /** Whether the products of the faster form do not saturate here. */
    boolean exact() {
      return overInt8 == overExactInt8;
    }
  }

  @FunctionalInterface
  private interface Batch {
    void run() throws OrtException;
  }

  /**
   * Opens all four.
   *
   * @param file integer checkpoint; its weights as numbers are the float32 model's
   * @param pairsFile integer checkpoint whose ranges the QDQ models have
   * @param threads of each
   * @param signedExact whether products of signed weights are exact on this processor
   */
  ModelComparison(Path file, Path pairsFile, int threads, boolean signedExact) throws OrtException {
    integers = CheckpointFile.read(file);
    pairs = pairsFile.equals(file) ? integers : CheckpointFile.read(pairsFile);
    this.signedExact = signedExact;
    FloatWeights weights = Dequantized.of(integers.graph());
    ModelProto floats =
        OnnxExport.floating(
            architecture(),
            new FloatWeights(weights.values(), Map.of()),
            FloatOnnxTest.description(architecture()));
    Size image = architecture().image();
    ortFloat = new Ort(floats.toByteArray(), image, threads);
    ortUnsigned = new Ort(quantized(QdqWeights.UNSIGNED), image, threads);
    ortSigned = new Ort(quantized(QdqWeights.SIGNED), image, threads);
    engine = Engines.open(integers.graph(), EngineConfig.standard().withThreads(threads));
  }

  private Architecture architecture() {
    return integers.graph().architecture();
  }

  private byte[] quantized(QdqWeights form) {
    return OnnxExport.quantized(pairs.graph(), form, FloatOnnxTest.description(architecture()))
        .toByteArray();
  }

  String name() {
    return architecture().name();
  }

  /** The kernels of the engine, such as {@code avx2}. */
  String kernels() {
    return engine.backend().kernels();
  }

  /** Measures every batch size, prints a line for each engine, and fills the model's JSON. */
  List<Ratios> measure(int[] batches, int rounds, ObjectNode json) throws OrtException {
    System.out.printf("%s: %s%n", name(), engine.description());
    json.put("model", name());
    json.put("weights", integers.provenance().source());
    json.put("outlierNodes", integers.graph().scheme().outliers().size());
    json.put("outlierNodesOfQdq", pairs.graph().scheme().outliers().size());
    json.put("engine", engine.description());
    ArrayNode results = json.putArray("results");
    ArrayNode rows = json.putArray("ratios");
    List<Ratios> all = new ArrayList<>();
    for (int batch : batches) {
      Map<String, double[]> times = inTurns(peers(batch), batch, rounds);
      report(times, batch, results);
      double own = median(times.get(IVIT));
      double unsigned = median(times.get(UNSIGNED)) / own;
      double signed = median(times.get(SIGNED)) / own;
      Ratios ratios =
          new Ratios(
              batch,
              median(times.get(FLOAT)) / own,
              Math.min(unsigned, signed),
              signedExact ? Math.min(unsigned, signed) : unsigned);
      all.add(ratios);
      ObjectNode row = rows.addObject();
      row.put("batch", batch);
      row.put("overFloat32", ratios.overFloat());
      row.put("overInt8", ratios.overInt8());
      row.put("int8Form", signed < unsigned ? "signed" : "unsigned");
      row.put("int8Saturates", !ratios.exact());
      row.put("overExactInt8", ratios.overExactInt8());
    }
    return all;
  }

  private Map<String, Batch> peers(int batch) {
    int pixels = architecture().pixels() * batch;
    byte[] codes = new byte[pixels];
    new Random(1).nextBytes(codes);
    float[] values = new float[pixels];
    for (int i = 0; i < pixels; i++) {
      values[i] = codes[i] / 128f;
    }
    Map<String, Batch> peers = new LinkedHashMap<>();
    peers.put(IVIT, () -> engine.logits(codes, batch));
    peers.put(FLOAT, () -> ortFloat.logits(values, batch));
    peers.put(UNSIGNED, () -> ortUnsigned.logits(values, batch));
    peers.put(SIGNED, () -> ortSigned.logits(values, batch));
    return peers;
  }

  /** Milliseconds a picture of each round; a first round warms up. */
  private static Map<String, double[]> inTurns(Map<String, Batch> peers, int batch, int rounds)
      throws OrtException {
    Map<String, double[]> times = new LinkedHashMap<>();
    peers.keySet().forEach(name -> times.put(name, new double[rounds]));
    for (int round = -1; round < rounds; round++) {
      for (Map.Entry<String, Batch> peer : peers.entrySet()) {
        double time = milliseconds(peer.getValue()) / batch;
        if (round >= 0) {
          times.get(peer.getKey())[round] = time;
        }
      }
    }
    return times;
  }

  private static void report(Map<String, double[]> times, int batch, ArrayNode results) {
    double own = median(times.get(IVIT));
    times.forEach(
        (name, rounds) -> {
          double median = median(rounds);
          double least = Arrays.stream(rounds).min().orElseThrow();
          double most = Arrays.stream(rounds).max().orElseThrow();
          System.out.printf(
              Locale.ROOT,
              "batch %2d  %5.2f x  %-24s %8.2f ms a picture (%.2f to %.2f)%n",
              batch,
              median / own,
              name,
              median,
              least,
              most);
          ObjectNode row = results.addObject();
          row.put("batch", batch);
          row.put("peer", name);
          row.put("ratio", median / own);
          row.put("medianMilliseconds", median);
          row.put("least", least);
          row.put("most", most);
        });
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
    return median(times.stream().mapToDouble(t -> t).toArray());
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  @Override
  public void close() throws OrtException {
    engine.close();
    ortFloat.close();
    ortUnsigned.close();
    ortSigned.close();
  }
}
