package org.ivit.export.cli;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.graph.Linear;
import org.ivit.export.cli.console.WrittenFile;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.freeze.Freezer;
import org.ivit.export.model.FloatSource;
import org.ivit.export.onnx.OnnxDescription;
import org.ivit.export.onnx.OnnxExport;
import org.ivit.export.onnx.QdqWeights;
import org.ivit.train.run.RunDirectory;

/**
 * {@code ivit export --format onnx…}: from a run or a model to an ONNX file.
 *
 * @param run run directory, or null
 * @param model what {@code --model} names, or null
 * @param reading of float weights
 * @param classes file of class names, or null for those that the model knows
 * @param moment of the run
 * @param weights of the run
 * @param qdqWeights form of the weights of a QDQ model
 */
record OnnxExporting(
    Path run,
    Path model,
    ModelReading reading,
    Path classes,
    Freezer.Moment moment,
    Freezer.Weights weights,
    QdqWeights qdqWeights) {

  /** As the command line gives them; moment and weights by the names of their constants. */
  static OnnxExporting of(
      Path run,
      Path model,
      ModelReading reading,
      Path classes,
      String moment,
      String weights,
      String qdqWeights) {
    return new OnnxExporting(
        run,
        model,
        reading,
        classes,
        Freezer.Moment.valueOf(moment),
        Freezer.Weights.valueOf(weights),
        QdqWeights.of(qdqWeights));
  }

  /**
   * Reads, writes, and says in two lines what came of it; a third is about weights of fewer bits.
   */
  String export(String formatKey, Path output) {
    OnnxExport.Format format = OnnxExport.Format.of(formatKey);
    List<Linear> layers = new ArrayList<>();
    ModelProto proto =
        switch (format) {
          case FLOAT -> floating();
          case QDQ -> {
            IntegerCheckpoint integers = integers();
            layers.addAll(integers.graph().linears());
            yield OnnxExport.quantized(integers.graph(), qdqWeights, description(integers));
          }
          case INTEGER -> {
            IntegerCheckpoint integers = integers();
            layers.addAll(integers.graph().linears());
            yield OnnxExport.integer(integers.graph(), description(integers));
          }
        };
    OnnxExport.write(output, proto);
    String what =
        "%s, opset %d, %d nodes, %s"
            .formatted(
                format.key(),
                proto.getOpsetImport(0).getVersion(),
                proto.getGraph().getNodeCount(),
                WrittenFile.megabytes(output));
    String written = WrittenFile.describe(output, what);
    return layers.stream().allMatch(layer -> layer.codes().grid() == null)
        ? written
        : written + System.lineSeparator() + fewerBits(format, layers);
  }

  /** What became of weights of fewer bits. */
  private static String fewerBits(OnnxExport.Format format, List<Linear> layers) {
    long packed = layers.stream().filter(layer -> layer.codes().grid() != null).count();
    if (format == OnnxExport.Format.INTEGER) {
      return "weights: %d of %d layers have fewer than 8 bits, written as their 8-bit codes"
          .formatted(packed, layers.size());
    }
    long nibbles =
        layers.stream().filter(layer -> OnnxExport.holdsNibbles(layer.codes().grid())).count();
    return "weights: %d of %d layers in 4 bits, decoded when the file is opened%s"
        .formatted(
            nibbles,
            layers.size(),
            packed == nibbles
                ? ""
                : "; %d of 5 to 7 bits as 8-bit codes, ONNX has no type for them"
                    .formatted(packed - nibbles));
  }

  private ModelProto floating() {
    FloatSource source =
        run != null
            ? Freezer.floats(RunDirectory.open(run), moment, weights)
            : Models.floats(model, reading);
    Path name = Path.of(source.identity().path()).getFileName();
    Provenance provenance =
        new Provenance(
            String.valueOf(name),
            source.identity().sha256(),
            "",
            SourceDate.text(),
            IvitCommand.Version.version(),
            "");
    List<String> names =
        source.architecture().answer() == Answer.FEATURES
            ? unnamed()
            : names(source.classes(), source.architecture().classes());
    return OnnxExport.floating(
        source.architecture(),
        source.weights(),
        new OnnxDescription(source.preprocess(), names, provenance));
  }

  private IntegerCheckpoint integers() {
    if (reading.architecture() != null || reading.weightsKey() != null) {
      throw new InputException("--architecture and --weights-key: an integer model knows its own");
    }
    String version = IvitCommand.Version.version();
    if (run != null) {
      return Freezer.freeze(RunDirectory.open(run), moment, weights, version).checkpoint();
    }
    IntegerCheckpoint checkpoint =
        Files.isDirectory(model)
            ? Freezer.freeze(
                    RunDirectory.open(model), Freezer.Moment.BEST, Freezer.Weights.AUTO, version)
                .checkpoint()
            : CheckpointFile.read(model);
    return checkpoint.with(reading.transform());
  }

  private OnnxDescription description(IntegerCheckpoint integers) {
    int count = integers.classes().size();
    List<String> names =
        integers.graph().architecture().answer() == Answer.FEATURES
            ? unnamed()
            : classes == null ? integers.classes() : names(ClassNames.UNKNOWN, count);
    return new OnnxDescription(integers.preprocess(), names, integers.provenance());
  }

  /** The names of a model that answers features: none. */
  private List<String> unnamed() {
    if (classes != null) {
      throw new InputException(
          "--classes: found %s, expected none: the model answers features".formatted(classes));
    }
    return List.of();
  }

  private List<String> names(ClassNames known, int count) {
    if (classes == null) {
      return known.toList(count);
    }
    ClassList list = ClassList.read(classes);
    if (list.size() != count) {
      throw new InputException(
          "%s: has %d classes, expected the model's %d".formatted(classes, list.size(), count));
    }
    return ClassNames.of(list).toList(count);
  }
}
