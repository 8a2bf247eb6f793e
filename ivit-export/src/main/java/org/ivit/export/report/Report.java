package org.ivit.export.report;

import java.util.List;
import java.util.Map;
import org.ivit.core.image.Rgb;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.ConfusionMatrix;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.train.report.Metrics;

/**
 * What a report shows.
 *
 * @param title heading
 * @param summary one paragraph below it
 * @param curves learning curves, one group a run
 * @param accuracies one row a model
 * @param comparison of the first model with the second, or null
 * @param checks what was verified and how it ended
 * @param classes names in order
 * @param confusions the confusion matrix of each model, by its name
 * @param byClass how each class that has pictures fares, the worst first
 * @param samplesHeading what the sample pictures are
 * @param samples pictures with the models' answers
 * @param ranges nodes in order of the forward pass
 * @param sizes bytes by what takes them
 * @param provenance where everything comes from, by what it is
 */
public record Report(
    String title,
    String summary,
    List<Curves> curves,
    List<Accuracy> accuracies,
    Comparison comparison,
    List<Check> checks,
    List<String> classes,
    Map<String, ConfusionMatrix> confusions,
    List<ClassRow> byClass,
    String samplesHeading,
    List<Sample> samples,
    List<NodeRange> ranges,
    Map<String, Long> sizes,
    Map<String, String> provenance) {

  /**
   * The metrics of a run.
   *
   * @param name of the run
   * @param metrics what its {@code metrics.csv} says
   */
  public record Curves(String name, Metrics metrics) {}

  /**
   * A model's accuracy.
   *
   * @param bytes of its file; 0 if that says nothing
   */
  public record Accuracy(String model, Evaluation evaluation, long bytes) {}

  /** Something that was verified. */
  public record Check(String what, boolean passed, String result) {}

  /**
   * How the models fare on the pictures of one class.
   *
   * @param name of the class
   * @param pictures of it
   * @param scores one a model, in the order of the accuracies
   */
  public record ClassRow(String name, int pictures, List<ClassScore> scores) {}

  /**
   * How one model fares on a class.
   *
   * @param right answers
   * @param loss mean cross-entropy in nats
   */
  public record ClassScore(int right, double loss) {}

  /**
   * A picture and what the models say.
   *
   * @param picture as decoded
   * @param label its class
   * @param note one more line, or ""
   * @param answers by the name of the model
   */
  public record Sample(Rgb picture, String label, String note, Map<String, Answer> answers) {}

  /**
   * An answer with its softmax probability.
   *
   * @param right whether it is the picture's class: two classes may share a name
   */
  public record Answer(String name, double probability, boolean right) {}

  /**
   * A node of the integer graph.
   *
   * @param bits of its codes
   * @param min lower end of its range
   * @param max upper end of its range
   * @param scale value of a code
   * @param outliers number of outlier channels
   * @param shift of the outlier channels
   */
  public record NodeRange(
      String name, int bits, double min, double max, double scale, int outliers, int shift) {}
}
