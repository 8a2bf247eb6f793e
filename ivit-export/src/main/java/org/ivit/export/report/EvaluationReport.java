package org.ivit.export.report;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.ivit.core.dataset.Dataset;
import org.ivit.export.evaluate.Answers;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.ConfusionMatrix;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.model.Logits;

/** The report of one model on labelled pictures, or of two beside each other. */
public final class EvaluationReport {
  private static final int SAMPLES = 24;

  private EvaluationReport() {}

  /**
   * A model's answers.
   *
   * @param name short, for the heads of columns
   * @param answers on the same pictures as the other's
   */
  public record Subject(String name, Answers answers) {}

  /**
   * Fills a report. Pictures are decoded anew, those alone that are shown.
   *
   * @param title heading
   * @param summary one paragraph below it
   * @param model what is reported
   * @param reference what it is compared with, or null
   * @param provenance where everything comes from, by what it is
   */
  public static Report of(
      String title,
      String summary,
      Subject model,
      Subject reference,
      Map<String, String> provenance) {
    Dataset data = model.answers().set();
    List<Subject> subjects = reference == null ? List.of(model) : List.of(model, reference);
    Map<String, ConfusionMatrix> confusions = new LinkedHashMap<>();
    for (Subject subject : subjects) {
      Answers answers = subject.answers();
      confusions.put(subject.name(), ConfusionMatrix.of(answers.logits(), answers.labels()));
    }
    return new Report(
        title,
        summary,
        List.of(),
        subjects.stream()
            .map(s -> new Report.Accuracy(s.name(), evaluation(s.answers()), 0))
            .toList(),
        reference == null
            ? null
            : Comparison.of(
                model.answers().logits(), reference.answers().logits(), model.answers().labels()),
        List.of(),
        data.classNames(),
        confusions,
        byClass(subjects, data),
        reference == null ? "Pictures with the largest loss" : "Worst disagreements",
        samples(subjects, data),
        List.of(),
        Map.of(),
        provenance);
  }

  private static Evaluation evaluation(Answers answers) {
    return Evaluation.of(answers.logits(), answers.labels());
  }

  /** Classes with pictures, by the first model's loss, the largest first. */
  private static List<Report.ClassRow> byClass(List<Subject> subjects, Dataset data) {
    int classes = data.classes();
    int[] labels = subjects.get(0).answers().labels();
    int[] pictures = new int[classes];
    int[][] right = new int[subjects.size()][classes];
    double[][] loss = new double[subjects.size()][classes];
    for (int i = 0; i < labels.length; i++) {
      int label = labels[i];
      pictures[label]++;
      for (int s = 0; s < subjects.size(); s++) {
        Logits logits = subjects.get(s).answers().logits();
        right[s][label] += logits.answer(i) == label ? 1 : 0;
        loss[s][label] += loss(logits, i, label);
      }
    }
    return IntStream.range(0, classes)
        .filter(c -> pictures[c] > 0)
        .mapToObj(
            c ->
                new Report.ClassRow(
                    data.classNames().get(c),
                    pictures[c],
                    IntStream.range(0, subjects.size())
                        .mapToObj(s -> new Report.ClassScore(right[s][c], loss[s][c] / pictures[c]))
                        .toList()))
        .sorted(
            Comparator.comparingDouble((Report.ClassRow row) -> row.scores().get(0).loss())
                .reversed())
        .toList();
  }

  /** Cross-entropy in nats; never a negative zero. */
  private static double loss(Logits logits, int picture, int label) {
    return Math.max(0, -logits.logSoftmax(picture)[label]);
  }

  /** The pictures with the largest divergence between the models, or the largest loss of one. */
  private static List<Report.Sample> samples(List<Subject> subjects, Dataset data) {
    Answers first = subjects.get(0).answers();
    boolean two = subjects.size() > 1;
    double[] cost =
        IntStream.range(0, first.labels().length)
            .mapToDouble(
                i ->
                    two
                        ? Comparison.divergence(
                            subjects.get(1).answers().logits().logSoftmax(i),
                            first.logits().logSoftmax(i))
                        : loss(first.logits(), i, first.labels()[i]))
            .toArray();
    return IntStream.range(0, cost.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> cost[i]).reversed())
        .limit(SAMPLES)
        .map(i -> sample(subjects, data, i, cost[i]))
        .toList();
  }

  private static Report.Sample sample(List<Subject> subjects, Dataset data, int i, double cost) {
    Answers first = subjects.get(0).answers();
    Map<String, Report.Answer> answers = new LinkedHashMap<>();
    for (Subject subject : subjects) {
      Logits logits = subject.answers().logits();
      int best = logits.answer(i);
      answers.put(
          subject.name(),
          new Report.Answer(
              shortName(data, best), logits.softmax(i)[best], best == first.labels()[i]));
    }
    String name = first.names().get(i);
    return new Report.Sample(
        data.picture(i),
        shortName(data, first.labels()[i]),
        String.format(Locale.ROOT, "%s, %s %.3f", name, subjects.size() > 1 ? "KL" : "loss", cost),
        answers);
  }

  /** The first of a class's names, which ImageNet separates by commas. */
  private static String shortName(Dataset data, int label) {
    String names = data.classNames().get(label);
    int comma = names.indexOf(", ");
    return comma < 0 ? names : names.substring(0, comma);
  }
}
