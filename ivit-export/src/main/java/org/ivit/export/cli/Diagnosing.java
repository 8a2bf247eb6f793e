package org.ivit.export.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.build.Dequantized;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.io.Digests;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.console.ReportFacts;
import org.ivit.export.diagnose.Diagnosis;
import org.ivit.export.diagnose.DiagnosisPage;
import org.ivit.export.diagnose.Divergence;
import org.ivit.export.diagnose.NodeDiagnosis;
import org.ivit.export.diagnose.Outputs;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.freeze.Freezer;
import org.ivit.export.freeze.Frozen;
import org.ivit.export.model.IntegerModel;
import org.ivit.export.model.Model;
import org.ivit.train.run.RunDirectory;

/**
 * What {@code ivit diagnose} does; apart from it, so that other commands load no Deeplearning4j.
 */
final class Diagnosing {
  private Diagnosing() {}

  static void diagnose(DiagnoseCommand command, PrintWriter out) {
    Subject subject = subject(command);
    IntegerCheckpoint checkpoint = subject.checkpoint;
    Architecture architecture = checkpoint.graph().architecture();
    String name =
        command.architecture != null
            ? command.architecture
            : Architectures.toJson(architecture).toString();
    ClassList list = command.classes == null ? null : ClassList.read(command.classes);
    try (Model reference =
            Models.open(
                command.against,
                new ModelReading(name, command.weightsKey),
                EngineConfig.standard());
        Dataset set = Datasets.open(command.data, list, null)) {
      requireFloat(command.against, reference);
      Architecture other = reference.architecture();
      if (other.answer() != architecture.answer() || other.classes() != architecture.classes()) {
        throw new InputException(
            "%s: answers with %s %s, expected the %s %s of %s"
                .formatted(
                    command.against,
                    other.classes(),
                    other.answer() == Answer.CLASSES ? "classes" : "channels of a feature",
                    architecture.classes(),
                    architecture.answer() == Answer.CLASSES ? "classes" : "channels of a feature",
                    subject.path));
      }
      int count = Math.min(command.limit, set.size());
      List<float[]> pixels = new ArrayList<>();
      List<Outputs> answers = new ArrayList<>();
      int[] labels = new int[count];
      Diagnosis diagnosis;
      try (Progress progress =
          Progress.start("diagnose", "steps", Diagnosis.steps(architecture, count))) {
        Preprocess own = checkpoint.preprocess();
        EvaluationTransform transform = new EvaluationTransform(own);
        EvaluationTransform others = new EvaluationTransform(reference.preprocess());
        Normalisation normalisation = new Normalisation(own);
        for (int i = 0; i < count; i++) {
          int index = (int) ((long) i * set.size() / count);
          Rgb picture = set.picture(index);
          labels[i] = set.label(index);
          pixels.add(normalisation.apply(transform.apply(picture)));
          answers.add(Outputs.of(reference, List.of(others.apply(picture))));
        }
        diagnosis =
            Diagnosis.of(
                checkpoint.graph(),
                subject.weights,
                Outputs.join(answers),
                labels,
                pixels,
                progress::step);
      }
      print(out, command, subject, diagnosis);
      command.json.write(command.spec, json(command, subject, diagnosis));
      if (command.html != null) {
        DiagnosisPage.write(
            command.html,
            subject.path + " against " + command.against,
            diagnosis,
            provenance(command, subject, reference, set));
      }
    }
  }

  private static void requireFloat(Path against, Model reference) {
    if (reference instanceof IntegerModel) {
      throw new InputException(
          "--against: "
              + against
              + ": found "
              + (Files.isDirectory(against) ? "a quantized run" : "an integer checkpoint")
              + ", expected the float model: weights, a Hugging Face folder or a float run");
    }
  }

  /**
   * What is diagnosed.
   *
   * @param path of a run or an integer checkpoint
   * @param kind of the two, the option's name
   * @param checkpoint the integers
   * @param weights float parameters that they stand for
   */
  private record Subject(
      Path path, String kind, IntegerCheckpoint checkpoint, FloatWeights weights) {}

  private static Subject subject(DiagnoseCommand command) {
    if (command.model != null) {
      IntegerCheckpoint checkpoint = CheckpointFile.read(command.model);
      return new Subject(command.model, "model", checkpoint, Dequantized.of(checkpoint.graph()));
    }
    Frozen frozen =
        Freezer.freeze(
            RunDirectory.open(command.run),
            Freezer.Moment.BEST,
            Freezer.Weights.AUTO,
            IvitCommand.Version.version());
    return new Subject(command.run, "run", frozen.checkpoint(), frozen.weights());
  }

  private static Map<String, String> provenance(
      DiagnoseCommand command, Subject subject, Model reference, Dataset set) {
    Provenance known = subject.checkpoint.provenance();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put(subject.kind, subject.path.toString());
    if (command.model != null) {
      facts.put("file SHA-256", Digests.file(command.model));
    }
    facts.put("architecture", subject.checkpoint.graph().architecture().name());
    if (!known.sourceSha256().isEmpty()) {
      facts.put("SHA-256 of the float weights that it was made of", known.sourceSha256());
    }
    facts.put("against", reference.identity().path());
    facts.put("file SHA-256 of its weights", reference.identity().sha256());
    facts.put("data", command.data + ", " + set.size() + " pictures, of which some were taken");
    facts.put("SHA-256 of the list of pictures", Datasets.digest(set));
    return ReportFacts.add(facts, reference.backend());
  }

  private static void print(
      PrintWriter out, DiagnoseCommand command, Subject subject, Diagnosis diagnosis) {
    out.printf("%-10s %s against %s%n", subject.kind, subject.path, command.against);
    out.printf(
        "data       %s: %d pictures, spread over the set%n", command.data, diagnosis.pictures());
    line(out, "integers", diagnosis.integers());
    line(out, "weights", diagnosis.weights());
    out.printf(
        "%n%-36s %4s %12s %8s %10s  %-18s %s%n",
        "node", "bits", "scale", "snr dB", "cost", "set apart", "rule");
    diagnosis.byCost().stream()
        .limit(command.top)
        .forEach(
            node ->
                out.printf(
                    Locale.ROOT,
                    "%-36s %4d %12.5g %8.1f %10.6f  %-18s %s%n",
                    node.node(),
                    node.bits(),
                    node.scale(),
                    node.decibels(),
                    node.cost(),
                    channels(node.outliers()),
                    channels(node.candidates())));
    int rest = diagnosis.nodes().size() - command.top;
    if (rest > 0) {
      out.printf("and %d nodes that cost less (--top, --json or --html for all)%n", rest);
    }
  }

  private static void line(PrintWriter out, String what, Divergence divergence) {
    if (divergence.agreement() != null) {
      out.printf(
          "%-10s agree on %d of %d, ",
          what, divergence.agreement().count(), divergence.agreement().total());
    } else {
      out.printf("%-10s ", what);
    }
    out.printf(Locale.ROOT, "mean %s %.5f%n", divergence.measure(), divergence.mean());
  }

  private static String channels(OutlierChannels outliers) {
    return outliers.isEmpty() ? "-" : outliers.channels().length + " x 2^" + outliers.shift();
  }

  private static ObjectNode json(DiagnoseCommand command, Subject subject, Diagnosis diagnosis) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put(subject.kind, subject.path.toString());
    json.put("against", command.against.toString());
    json.put("data", command.data);
    json.put("images", diagnosis.pictures());
    boolean classes = diagnosis.integers().answer() == Answer.CLASSES;
    String measure = classes ? "Kl" : "CosineDistance";
    json.put("answer", diagnosis.integers().answer().toString());
    json.put("integers" + measure, diagnosis.integers().mean());
    json.put("weights" + measure, diagnosis.weights().mean());
    ArrayNode nodes = json.putArray("nodes");
    for (NodeDiagnosis node : diagnosis.nodes()) {
      ObjectNode item = nodes.addObject();
      item.put("node", node.node());
      item.put("bits", node.bits());
      item.put("scale", node.scale());
      if (Double.isFinite(node.decibels())) {
        item.put("snrDecibels", node.decibels());
      } else {
        item.putNull("snrDecibels");
      }
      item.put("cost" + measure, node.cost());
      outliers(item.putObject("outliers"), node.outliers());
      outliers(item.putObject("rule"), node.candidates());
    }
    return json;
  }

  private static void outliers(ObjectNode json, OutlierChannels outliers) {
    ArrayNode channels = json.putArray("channels");
    for (int channel : outliers.channels()) {
      channels.add(channel);
    }
    json.put("shift", outliers.shift());
  }
}
