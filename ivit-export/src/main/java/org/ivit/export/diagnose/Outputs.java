package org.ivit.export.diagnose;

import java.util.List;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.image.Rgb;
import org.ivit.export.features.Features;
import org.ivit.export.model.Logits;
import org.ivit.export.model.Model;

/**
 * What a model answers pictures with, as values.
 *
 * @param answer what the values mean
 * @param values logits or features, [pictures][width], not copied
 * @param width numbers of a picture
 */
public record Outputs(Answer answer, float[] values, int width) {
  /** Those of an architecture's model. */
  public static Outputs of(Architecture architecture, float[] values) {
    return new Outputs(architecture.answer(), values, architecture.classes());
  }

  /**
   * A float model's answers.
   *
   * @param pictures prepared for it
   */
  public static Outputs of(Model model, List<Rgb> pictures) {
    float[] values =
        model.answer() == Answer.FEATURES
            ? model.features(pictures).values()
            : model.logits(pictures).values();
    return of(model.architecture(), values);
  }

  /**
   * One after another.
   *
   * @param parts at least one, of the same model
   */
  public static Outputs join(List<Outputs> parts) {
    Outputs first = parts.get(0);
    float[] values = new float[parts.stream().mapToInt(part -> part.values.length).sum()];
    int at = 0;
    for (Outputs part : parts) {
      System.arraycopy(part.values, 0, values, at, part.values.length);
      at += part.values.length;
    }
    return new Outputs(first.answer, values, first.width);
  }

  Logits logits() {
    return Logits.ofValues(values, width);
  }

  Features features() {
    return Features.ofValues(values, width);
  }
}
