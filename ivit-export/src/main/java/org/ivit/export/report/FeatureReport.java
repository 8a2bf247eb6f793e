package org.ivit.export.report;

import static org.ivit.train.report.Html.escape;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ivit.core.dataset.Dataset;
import org.ivit.export.evaluate.ConfusionMatrix;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.evaluate.FeatureAnswers;
import org.ivit.export.evaluate.FeatureComparison;
import org.ivit.export.evaluate.Judgement;
import org.ivit.export.features.Neighbour;
import org.ivit.train.report.Page;
import org.ivit.train.report.Table;

/** The report of features of one model on labelled pictures, or of two beside each other. */
public final class FeatureReport {
  private static final int SAMPLES = 24;

  private final Subject model;
  private final Subject reference;
  private final FeatureComparison comparison;
  private final Dataset data;

  /**
   * A model's features.
   *
   * @param name short, for the heads of columns
   * @param answers on the same pictures as the other's
   * @param gallery that its neighbours are rows of, or null
   * @param judgement what follows from them
   */
  public record Subject(
      String name, FeatureAnswers answers, FeatureAnswers gallery, Judgement judgement) {}

  private FeatureReport(Subject model, Subject reference, FeatureComparison comparison) {
    this.model = model;
    this.reference = reference;
    this.comparison = comparison;
    this.data = model.answers.set();
  }

  /**
   * Writes a report; the file is complete or not there. Pictures are decoded anew, those alone that
   * are shown.
   *
   * @param summary one paragraph below the heading
   * @param reference what the model is compared with, or null
   * @param comparison of the two, or null
   * @param provenance where everything comes from, by what it is
   * @throws java.io.UncheckedIOException if it cannot be written
   */
  public static void write(
      Path file,
      String summary,
      Subject model,
      Subject reference,
      FeatureComparison comparison,
      Map<String, String> provenance) {
    new FeatureReport(model, reference, comparison).page(summary, provenance).write(file);
  }

  private Page page(String summary, Map<String, String> provenance) {
    Page page = new Page("Features" + (reference == null ? "" : ", compared"), summary);
    boolean classifies = model.judgement.classifies();
    if (classifies) {
      page.section(
          "Accuracy",
          ReportWriter.accuracies(
              subjects().map(s -> new Report.Accuracy(s.name, evaluation(s), 0)).toList()));
    }
    if (comparison != null) {
      page.section("Comparison", comparison());
      page.section("Pictures with the smallest cosine", samples(leastAlike()));
    } else if (classifies) {
      page.section("Wrong answers", samples(wrong()));
    }
    if (classifies) {
      page.section("Classes", classes());
      StringBuilder confusions = new StringBuilder();
      subjects()
          .forEach(
              s ->
                  confusions.append(
                      ConfusionChart.draw(
                          ConfusionMatrix.of(data.classes(), s.answers.labels(), i -> answer(s, i)),
                          data.classNames(),
                          s.name)));
      page.section("Confusion", confusions.toString());
    }
    return page.facts("Provenance", provenance);
  }

  private Stream<Subject> subjects() {
    return reference == null ? Stream.of(model) : Stream.of(model, reference);
  }

  private static Evaluation evaluation(Subject subject) {
    return Evaluation.of(subject.judgement.rankings(), subject.answers.labels());
  }

  private static int answer(Subject subject, int picture) {
    return subject.judgement.rankings().get(picture).answer();
  }

  private String comparison() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put(
        "Cosine of the features",
        String.format(
            Locale.ROOT,
            "mean %.6f, worst %.6f",
            comparison.meanCosine(),
            comparison.worstCosine()));
    if (comparison.nearest() != null) {
      facts.put("Nearest neighbour unchanged", ReportWriter.text(comparison.nearest()));
    }
    if (comparison.agreement() != null) {
      facts.put("Agreement of the answers", ReportWriter.text(comparison.agreement()));
      facts.put("McNemar's test", ReportWriter.text(comparison.mcnemar()));
    }
    return Page.facts(facts);
  }

  private List<Integer> leastAlike() {
    double[] cosines = cosines();
    return IntStream.range(0, cosines.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> cosines[i]))
        .limit(SAMPLES)
        .toList();
  }

  private double[] cosines() {
    return FeatureComparison.cosines(model.answers.features(), reference.answers.features());
  }

  private List<Integer> wrong() {
    int[] labels = model.answers.labels();
    return IntStream.range(0, labels.length)
        .filter(i -> answer(model, i) != labels[i])
        .limit(SAMPLES)
        .boxed()
        .toList();
  }

  private String samples(List<Integer> pictures) {
    double[] cosines = reference == null ? null : cosines();
    PictureList list = new PictureList();
    for (int i : pictures) {
      StringBuilder answers = new StringBuilder();
      subjects().forEach(subject -> answer(answers, subject, i));
      String name = model.answers.names().get(i);
      list.add(
          data.picture(i),
          model.judgement.classifies() ? className(model.answers.labels()[i]) : name,
          answers.toString(),
          cosines == null ? name : String.format(Locale.ROOT, "%s, cosine %.6f", name, cosines[i]));
    }
    return pictures.isEmpty() ? "<p>None.</p>" : list.html();
  }

  private void answer(StringBuilder html, Subject subject, int picture) {
    if (!subject.judgement.classifies()) {
      return;
    }
    int answer = answer(subject, picture);
    html.append(
            answer == subject.answers.labels()[picture]
                ? "<span class=\"right\">✓ "
                : "<span class=\"wrong\">✗ ")
        .append(escape(subject.name + ": " + className(answer)))
        .append("</span>");
    if (subject.gallery != null) {
      Neighbour nearest = subject.judgement.neighbours().get(picture).get(0);
      html.append("<span>")
          .append(
              escape(
                  String.format(
                      Locale.ROOT,
                      "nearest: %s, cosine %.4f",
                      subject.gallery.names().get(nearest.row()),
                      nearest.cosine())))
          .append("</span>");
    }
  }

  /** The first of a class's names, which ImageNet separates by commas. */
  private String className(int label) {
    return data.classNames().get(label).split(", ", 2)[0];
  }

  private String classes() {
    int[] labels = model.answers.labels();
    int[] pictures = new int[data.classes()];
    for (int label : labels) {
      pictures[label]++;
    }
    Table table =
        new Table("Right answers by class, the worst first", "sortable")
            .words("class")
            .numbers("pictures");
    subjects().forEach(s -> table.numbers(s.name + ": right"));
    List<int[]> right = subjects().map(s -> right(s, data.classes())).toList();
    IntStream.range(0, data.classes())
        .filter(c -> pictures[c] > 0)
        .boxed()
        .sorted(Comparator.comparingDouble(c -> (double) right.get(0)[c] / pictures[c]))
        .forEach(
            c -> {
              table.row(data.classNames().get(c)).cell(Integer.toString(pictures[c]));
              for (int[] counts : right) {
                double share = (double) counts[c] / pictures[c];
                table.cell(
                    share, String.format(Locale.ROOT, "%d (%.0f %%)", counts[c], 100 * share));
              }
            });
    return table.html(true);
  }

  private static int[] right(Subject subject, int classes) {
    int[] labels = subject.answers.labels();
    int[] right = new int[classes];
    for (int i = 0; i < labels.length; i++) {
      right[labels[i]] += answer(subject, i) == labels[i] ? 1 : 0;
    }
    return right;
  }
}
