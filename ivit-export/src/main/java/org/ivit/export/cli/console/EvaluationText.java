package org.ivit.export.cli.console;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import org.ivit.core.architecture.Answer;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.evaluate.McNemar;
import org.ivit.export.evaluate.PictureBatches;
import org.ivit.export.evaluate.Proportion;
import org.ivit.export.model.Model;

/** What {@code ivit evaluate} prints. */
public final class EvaluationText {
  private EvaluationText() {}

  /** A model, what it answers with and what runs it. */
  public static void describe(PrintWriter out, String what, Model model) {
    out.printf(
        "%-10s %s (%s, %s; engine %s)%n",
        what,
        model.identity().path(),
        model.identity().kind(),
        model.identity().architecture(),
        model.engine());
    out.printf("answer     %s%n", answer(model));
    out.printf("kernels    %s%n", model.backend().line());
    out.printf("processor  %s%n", model.backend().processor());
  }

  /** {@code 1000 classes} or {@code features, 384 wide}. */
  public static String answer(Model model) {
    int width = model.architecture().classes();
    return model.answer() == Answer.CLASSES
        ? width + " classes"
        : model.answer() + ", " + width + " wide";
  }

  /** Pictures that were left out, if any. */
  public static void skipped(PrintWriter out, List<PictureBatches.Skipped> skipped) {
    if (!skipped.isEmpty()) {
      out.printf(
          "skipped    %d corrupt pictures (first: %s)%n", skipped.size(), skipped.get(0).reason());
    }
  }

  /** Right answers, and how long they took. */
  public static void accuracy(PrintWriter out, Evaluation evaluation, double seconds) {
    out.println("top-1      " + text(evaluation.top1()));
    out.println("top-5      " + text(evaluation.top5()));
    time(out, evaluation.images(), seconds);
  }

  /** How long it took. */
  public static void time(PrintWriter out, int pictures, double seconds) {
    out.printf(Locale.ROOT, "time       %.1f s, %.1f pictures/s%n", seconds, pictures / seconds);
    out.flush();
  }

  /** Two models beside each other. */
  public static void mcNemar(PrintWriter out, McNemar m) {
    out.printf(
        Locale.ROOT,
        "McNemar    only the model right %d, only the other right %d, p = %.4g (%s)%n",
        m.onlyModel(),
        m.onlyReference(),
        m.pValue(),
        m.exact() ? "exact" : "chi-square");
    out.flush();
  }

  /** {@code 531 of 650 81.69 % (78.53 to 84.48 %)}. */
  public static String text(Proportion p) {
    return String.format(
        Locale.ROOT,
        "%d of %d   %.2f %%   (%.2f to %.2f %%)",
        p.count(),
        p.total(),
        100 * p.fraction(),
        100 * p.low(),
        100 * p.high());
  }
}
