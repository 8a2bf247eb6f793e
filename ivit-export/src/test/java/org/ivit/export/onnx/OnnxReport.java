package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.family.Architectures;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.model.Logits;
import org.ivit.export.model.Model;

/**
 * What the ONNX forms of a checkpoint answer under ONNX Runtime beside the float model, and which
 * operators it makes of them. Started by {@code scripts/check-onnx}; no test.
 */
final class OnnxReport {
  private OnnxReport() {}

  /**
   * Reports.
   *
   * @param arguments integer checkpoint, float weights, pictures, list of classes
   */
  public static void main(String[] arguments) throws OrtException, IOException {
    IntegerCheckpoint checkpoint = CheckpointFile.read(Path.of(arguments[0]));
    Architecture architecture = checkpoint.graph().architecture();
    OnnxDescription description =
        new OnnxDescription(checkpoint.preprocess(), checkpoint.classes(), checkpoint.provenance());
    ModelProto unsigned =
        OnnxExport.quantized(checkpoint.graph(), QdqWeights.UNSIGNED, description);
    ModelProto signed = OnnxExport.quantized(checkpoint.graph(), QdqWeights.SIGNED, description);
    ModelProto integer = OnnxExport.integer(checkpoint.graph(), description);
    operators("onnx-qdq", unsigned);
    operators("onnx-qdq, signed", signed);
    operators("onnx-integer", integer);
    try (Model floats =
            Models.open(
                Path.of(arguments[1]),
                new ModelReading(Architectures.toJson(architecture).toString(), null),
                EngineConfig.standard());
        Dataset set = Datasets.open(arguments[2], ClassList.read(Path.of(arguments[3])), null);
        Engine engine = Engines.open(checkpoint.graph());
        Ort ortUnsigned = new Ort(unsigned, architecture.image());
        Ort ortSigned = new Ort(signed, architecture.image());
        Ort ortInteger = new Ort(integer, architecture.image())) {
      compare(checkpoint, set, floats, engine, ortUnsigned, ortSigned, ortInteger);
    }
  }

  private static void compare(
      IntegerCheckpoint checkpoint,
      Dataset set,
      Model floats,
      Engine engine,
      Ort ortUnsigned,
      Ort ortSigned,
      Ort ortInteger)
      throws OrtException {
    Preprocess preprocess = checkpoint.preprocess();
    EvaluationTransform transform = new EvaluationTransform(preprocess);
    Normalisation normalisation = new Normalisation(preprocess);
    PixelTable table =
        PixelTable.of(preprocess.mean(), preprocess.std(), checkpoint.graph().inputScale());
    List<Logits> reference = new ArrayList<>();
    List<Logits> unsigned = new ArrayList<>();
    List<Logits> signed = new ArrayList<>();
    int[] labels = new int[set.size()];
    int identical = 0;
    int classes = checkpoint.graph().architecture().classes();
    for (int i = 0; i < labels.length; i++) {
      List<Rgb> picture = List.of(transform.apply(set.picture(i)));
      labels[i] = set.label(i);
      reference.add(floats.logits(picture));
      float[] pixels = normalisation.apply(picture);
      unsigned.add(Logits.ofValues(ortUnsigned.logits(pixels, 1), classes));
      signed.add(Logits.ofValues(ortSigned.logits(pixels, 1), classes));
      byte[] rgb = picture.get(0).data();
      int[] integers = engine.logits(table.apply(rgb, 1), 1);
      identical += Arrays.equals(integers, ortInteger.logits(planes(rgb), 1)) ? 1 : 0;
    }
    report("onnx-qdq", Logits.join(unsigned), Logits.join(reference), labels);
    report("onnx-qdq, signed", Logits.join(signed), Logits.join(reference), labels);
    System.out.printf(
        "onnx-integer: logits of %d of %d pictures are the engine's (%s)%n",
        identical, labels.length, engine.description());
  }

  private static void report(String format, Logits model, Logits reference, int[] labels) {
    Comparison comparison = Comparison.of(model, reference, labels);
    int right = 0;
    for (int i = 0; i < labels.length; i++) {
      right += model.answer(i) == labels[i] ? 1 : 0;
    }
    System.out.printf(
        "%s: top-1 %d of %d, agreement %d, mean KL %.5f, median %.5f%n",
        format,
        right,
        labels.length,
        comparison.agreement().count(),
        comparison.meanKl(),
        comparison.medianKl());
  }

  private static byte[] planes(byte[] rgb) {
    byte[] planes = new byte[rgb.length];
    int size = rgb.length / 3;
    for (int i = 0; i < planes.length; i++) {
      planes[i] = rgb[3 * (i % size) + i / size];
    }
    return planes;
  }

  /** Counts operators before and after ONNX Runtime's optimization. */
  private static void operators(String format, ModelProto model) throws OrtException, IOException {
    Path file = Files.createTempFile("optimized", ".onnx");
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizedModelFilePath(file.toString());
      OrtEnvironment.getEnvironment().createSession(model.toByteArray(), options).close();
      ModelProto optimized = ModelProto.parseFrom(Files.readAllBytes(file));
      System.out.printf("%s as written:   %s%n", format, count(model));
      System.out.printf("%s as optimized: %s%n", format, count(optimized));
    } finally {
      Files.delete(file);
    }
  }

  private static Map<String, Integer> count(ModelProto model) {
    Map<String, Integer> counts = new TreeMap<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      counts.merge(node.getOpType(), 1, Integer::sum);
    }
    return counts;
  }
}
