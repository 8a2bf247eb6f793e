package org.ivit.export.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.Locations;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.Subset;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.image.PreprocessChange;
import org.ivit.export.cli.console.EvaluationText;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.console.ReportFacts;
import org.ivit.export.cli.features.FeatureEvaluating;
import org.ivit.export.cli.option.AnswerChecks;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.FeatureOptions;
import org.ivit.export.cli.option.JsonOption;
import org.ivit.export.cli.option.LabelOptions;
import org.ivit.export.cli.option.ModelOptions;
import org.ivit.export.cli.option.TransformOptions;
import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.Clusters;
import org.ivit.export.cluster.EvaluationJob;
import org.ivit.export.cluster.EvaluationPart;
import org.ivit.export.evaluate.Answers;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.evaluate.LogitsFile;
import org.ivit.export.evaluate.Models;
import org.ivit.export.model.Model;
import org.ivit.export.report.EvaluationReport;
import org.ivit.export.report.Report;
import org.ivit.export.report.ReportWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit evaluate}: accuracy on labelled pictures, and the comparison of two models. */
@Command(
    name = "evaluate",
    footerHeading =
        "%nExample:%n  ivit evaluate --model vit.ivit.safetensors --data imagenet/val%n",
    description = "Measures accuracy on labelled pictures; compares two models picture by picture.")
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private ModelOptions options;

  @Mixin private TransformOptions transform;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description =
          "Pictures: a folder with one folder a class, a flat folder with --labels, FILE.zip or"
              + " FILE.zip/FOLDER, or CIFAR-10's binary batches; with scripts/ivit-spark also"
              + " Parquet files and Hadoop's paths, such as hdfs://HOST/DIR.")
  private String data;

  @Mixin private LabelOptions files;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Only the first N pictures in order of their names.")
  private int limit;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "16",
      description = "Pictures at once (default: ${DEFAULT-VALUE}); it does not change the answers.")
  private int batch;

  @Option(
      names = "--skip-corrupt",
      description =
          "Go on where a picture cannot be decoded: it is named, counted and left out. Without it"
              + " the first one ends the command.")
  private boolean skipCorrupt;

  @Mixin private FeatureOptions features;

  @Mixin private JsonOption json;

  @Option(
      names = "--html",
      paramLabel = "F",
      description =
          "Write a report: accuracy, worst pictures or disagreements, classes, confusion,"
              + " provenance.")
  private Path html;

  @Option(
      names = "--logits",
      paramLabel = "F",
      description = "Write logits, labels and file names as safetensors.")
  private Path logits;

  @Option(
      names = "--against",
      paramLabel = "F2",
      description =
          "Compare with this model: agreement, KL divergence from it, McNemar's test; of features"
              + " cosine, agreement, nearest neighbours that stay.")
  private Path against;

  @Option(
      names = "--spark",
      paramLabel = "MASTER",
      description =
          "Spread the pictures over the executors of this Apache Spark cluster; the answers are the"
              + " same. Needs scripts/ivit-spark.")
  private String spark;

  @Override
  public Integer call() {
    options.validate();
    Checks.atLeast("--batch", batch, 1);
    Checks.atLeast("--limit", limit, 0);
    json.validate();
    Checks.writable("--html", html);
    Checks.writable("--logits", logits);
    Checks.exists("--against", against);
    files.validate();
    if (skipCorrupt && spark != null) {
      throw new InputException("--skip-corrupt: found beside --spark, expected one of them");
    }
    features.validate();
    PreprocessChange change = transform.change();
    PrintWriter out = json.text(spec);
    try (Model model = options.open(change);
        Model reference =
            against == null
                ? null
                : Models.open(against, options.reading(change), options.engine().unnamed())) {
      boolean classes = model.answer() == Answer.CLASSES;
      json.write(spec, classes ? classes(model, reference, out) : features(model, reference, out));
    }
    return 0;
  }

  private ObjectNode features(Model model, Model reference, PrintWriter out) {
    if (spark != null || logits != null) {
      throw new InputException(
          "%s: %s answers with features, expected none beside it%s"
              .formatted(
                  spark != null ? "--spark" : "--logits",
                  options.model,
                  spark != null ? "" : " (ivit embed writes features)"));
    }
    if (reference != null) {
      AnswerChecks.same("--against", against, reference, model);
    }
    return FeatureEvaluating.run(
        new FeatureEvaluating.Request(
            data,
            files,
            features,
            limit,
            batch,
            skipCorrupt ? OnCorrupt.SKIP : OnCorrupt.FAIL,
            options.engine().config().pool(),
            html),
        model,
        reference,
        out);
  }

  private ObjectNode classes(Model model, Model reference, PrintWriter out) {
    features.requireNone(options.model);
    if (reference != null && reference.answer() != Answer.CLASSES) {
      AnswerChecks.same("--against", against, reference, model);
    }
    try (Cluster cluster = spark == null ? null : Clusters.spark(spark);
        Dataset all = Datasets.open(data, classList(model), files.labels)) {
      Dataset listed = limit > 0 ? Subset.first(all, limit) : all;
      requireClasses(model, options.model, all);
      if (reference != null) {
        requireClasses(reference, against, all);
      }
      Answers answers = answer("evaluate", cluster, model, options.engine().config(), listed);
      Dataset set = answers.set();
      ObjectNode result = EvaluationJson.of(model, data, set, answers);
      EvaluationText.describe(out, "model", model);
      out.printf("data       %s: %d pictures, %d classes%n", data, set.size(), set.classes());
      EvaluationText.skipped(out, answers.skipped());
      accuracy(out, answers);
      Answers other = null;
      if (reference != null) {
        other = answer("compare", cluster, reference, options.engine().unnamed(), set);
        Comparison comparison = Comparison.of(answers.logits(), other.logits(), answers.labels());
        result.set("against", EvaluationJson.comparison(reference, other, comparison));
        EvaluationText.describe(out, "against", reference);
        if (!model.preprocess().equals(reference.preprocess())) {
          out.printf(
              "pictures   are prepared in two ways: %s for the model, %s for what it is compared"
                  + " with%n",
              model.preprocess(), reference.preprocess());
        }
        accuracy(out, other);
        compare(out, comparison);
      }
      if (logits != null) {
        LogitsFile.write(logits, answers, model.identity());
      }
      if (html != null) {
        ReportWriter.write(html, report(model, answers, reference, other));
      }
      return result;
    }
  }

  private ClassList classList(Model model) {
    if (files.classes != null) {
      ClassList list = ClassList.read(files.classes);
      if (list.size() != model.architecture().classes()) {
        throw new InputException(
            "%s: found %s classes, expected %s as %s has"
                .formatted(
                    files.classes, list.size(), model.architecture().classes(), options.model));
      }
      return list;
    }
    return model.classes().ids().isEmpty() ? null : ClassList.of(model.classes().ids());
  }

  private void requireClasses(Model model, Path path, Dataset set) {
    if (model.architecture().classes() != set.classes()) {
      throw new InputException(
          "%s: found %s classes, expected %s as %s has%s"
              .formatted(
                  data,
                  set.classes(),
                  model.architecture().classes(),
                  path,
                  files.classes == null ? " (--classes FILE gives their order)" : ""));
    }
  }

  private Answers answer(
      String task, Cluster cluster, Model model, EngineConfig config, Dataset set) {
    try (Progress progress = Progress.start(task, "pictures", set.size())) {
      if (cluster == null) {
        OnCorrupt onCorrupt = skipCorrupt ? OnCorrupt.SKIP : OnCorrupt.FAIL;
        return Answers.of(model, set, onCorrupt, batch, config.pool().threads(), progress::step);
      }
      long start = System.nanoTime();
      EvaluationPart all = cluster.evaluate(job(model, config, set), set.size(), progress::step);
      return Answers.of(all.logits(), set, (System.nanoTime() - start) / 1e9);
    }
  }

  private EvaluationJob job(Model model, EngineConfig config, Dataset set) {
    return new EvaluationJob(
        absolute(Path.of(model.identity().path())),
        model.identity().sha256(),
        options.reading(transform.change()),
        config,
        Locations.absolute(data),
        absolute(files.classes),
        absolute(files.labels),
        limit,
        Datasets.digest(set),
        batch);
  }

  private Report report(Model model, Answers answers, Model reference, Answers other) {
    Dataset set = answers.set();
    Map<String, String> facts = new LinkedHashMap<>();
    ReportFacts.identify(facts, "model", model);
    if (reference != null) {
      ReportFacts.identify(facts, "against", reference);
    }
    facts.put("data", data);
    facts.put("pictures", set.size() + " of " + set.classes() + " classes");
    facts.put("SHA-256 of the list of pictures", Datasets.digest(set));
    String name = model.identity().kind();
    String against = reference == null ? null : reference.identity().kind();
    return EvaluationReport.of(
        model.identity().architecture() + (reference == null ? "" : ", compared"),
        "%s%s on %s."
            .formatted(
                model.identity().path(),
                reference == null ? "" : " against " + reference.identity().path(),
                data),
        new EvaluationReport.Subject(name, answers),
        reference == null
            ? null
            : new EvaluationReport.Subject(
                against.equals(name) ? against + " (against)" : against, other),
        ReportFacts.add(facts, model.backend()));
  }

  private static String absolute(Path path) {
    return path == null ? null : path.toAbsolutePath().toString();
  }

  private static void accuracy(PrintWriter out, Answers answers) {
    EvaluationText.accuracy(
        out, Evaluation.of(answers.logits(), answers.labels()), answers.seconds());
  }

  private static void compare(PrintWriter out, Comparison comparison) {
    out.println("agreement  " + EvaluationText.text(comparison.agreement()));
    out.printf(
        Locale.ROOT,
        "KL         mean %.6f, median %.6f, largest %.4f nats%n",
        comparison.meanKl(),
        comparison.medianKl(),
        comparison.largestKl());
    EvaluationText.mcNemar(out, comparison.mcnemar());
  }
}
