package org.ivit.export.quickstart;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.engine.Processor;
import org.ivit.core.family.Architectures;
import org.ivit.core.io.Digests;
import org.ivit.core.scheme.Range;
import org.ivit.export.evaluate.Answers;
import org.ivit.export.evaluate.ConfusionMatrix;
import org.ivit.export.model.Logits;
import org.ivit.export.report.Report;
import org.ivit.train.report.Metrics;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.TrainingCheckpoint;

/** Fills the report of a quickstart. */
final class QuickstartReport {
  private static final int SAMPLES = 24;

  private QuickstartReport() {}

  static Report of(
      Quickstart.Result result,
      Dataset test,
      Answers floats,
      Answers integers,
      RunDirectory floatRun,
      RunDirectory integerRun,
      Path weights,
      Path file,
      IntegerCheckpoint checkpoint) {
    Map<String, ConfusionMatrix> confusions = new LinkedHashMap<>();
    confusions.put("float", ConfusionMatrix.of(floats.logits(), floats.labels()));
    confusions.put("integers", ConfusionMatrix.of(integers.logits(), integers.labels()));
    Map<String, Long> sizes = new LinkedHashMap<>();
    sizes.put("float weights", Quickstart.size(weights));
    sizes.put("integer checkpoint", Quickstart.size(file));
    Map<String, String> provenance = new LinkedHashMap<>();
    provenance.put(
        "architecture", Architectures.toJson(checkpoint.graph().architecture()).toString());
    provenance.put("float run", floatRun.path().toString());
    provenance.put("integer run", integerRun.path().toString());
    provenance.put("file SHA-256 of the checkpoint", Digests.file(file));
    provenance.put("processor", Processor.name());
    provenance.put("version", checkpoint.provenance().version());
    provenance.put("date", checkpoint.provenance().date());
    provenance.put("Java", Runtime.version().toString());
    return new Report(
        "IVIT quickstart",
        "A small vision transformer trained in float on pictures drawn by the program, fine-tuned"
            + " in integers, and both evaluated on pictures that neither has seen.",
        List.of(
            new Report.Curves("float", Metrics.read(floatRun.metrics())),
            new Report.Curves("integers", Metrics.read(integerRun.metrics()))),
        List.of(
            new Report.Accuracy("integers only", result.integerModel(), Quickstart.size(file)),
            new Report.Accuracy("float", result.floatModel(), Quickstart.size(weights))),
        result.comparison(),
        List.of(
            new Report.Check(
                "logits of engines %s equal the training network's on %s pictures"
                    .formatted(
                        String.join(", ", result.identity().engines()),
                        result.identity().pictures()),
                result.identity().differences() == 0,
                result.identity().differences() + " differences")),
        test.classNames(),
        confusions,
        List.of(),
        "Sample pictures",
        samples(test, floats, integers),
        ranges(integerRun.latest(), checkpoint),
        sizes,
        provenance);
  }

  /** Pictures on which one of the models errs first, then others from the beginning. */
  private static List<Report.Sample> samples(Dataset test, Answers floats, Answers integers) {
    List<Integer> chosen = new ArrayList<>();
    List<Integer> rest = new ArrayList<>();
    for (int i = 0; i < test.size(); i++) {
      boolean wrong =
          floats.logits().answer(i) != test.label(i)
              || integers.logits().answer(i) != test.label(i);
      (wrong && chosen.size() < SAMPLES / 2 ? chosen : rest).add(i);
    }
    chosen.addAll(rest.subList(0, Math.min(rest.size(), SAMPLES - chosen.size())));
    List<Report.Sample> samples = new ArrayList<>();
    for (int i : chosen) {
      samples.add(
          new Report.Sample(
              test.picture(i),
              test.classNames().get(test.label(i)),
              "",
              answers(floats.logits(), integers.logits(), i, test)));
    }
    return samples;
  }

  private static Map<String, Report.Answer> answers(
      Logits floats, Logits integers, int picture, Dataset test) {
    Map<String, Report.Answer> answers = new LinkedHashMap<>();
    answers.put("float", answer(floats, picture, test));
    answers.put("integers", answer(integers, picture, test));
    return answers;
  }

  private static Report.Answer answer(Logits logits, int picture, Dataset test) {
    int best = logits.answer(picture);
    return new Report.Answer(
        test.classNames().get(best), logits.softmax(picture)[best], best == test.label(picture));
  }

  private static List<Report.NodeRange> ranges(
      TrainingCheckpoint trained, IntegerCheckpoint checkpoint) {
    List<Report.NodeRange> ranges = new ArrayList<>();
    for (Node node : checkpoint.graph().architecture().nodes().values()) {
      Range range = trained.ranges().get(node.name());
      OutlierChannels outliers = trained.scheme().outliers(node);
      ranges.add(
          new Report.NodeRange(
              node.name(),
              node.bits(),
              range.min(),
              range.max(),
              trained.scheme().scale(node, range),
              outliers.channels().length,
              outliers.shift()));
    }
    return ranges;
  }
}
