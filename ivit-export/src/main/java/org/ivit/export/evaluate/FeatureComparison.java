package org.ivit.export.evaluate;

import org.ivit.core.InputException;
import org.ivit.export.features.Cosines;
import org.ivit.export.features.Features;

/**
 * The features of two models on the same pictures, picture by picture.
 *
 * @param meanCosine mean over the pictures of the cosine of the two models' features, float64
 * @param worstCosine its minimum
 * @param worst the picture that has it, the first of them
 * @param agreement pictures that both answer alike, right or wrong; null where nothing classifies
 * @param nearest pictures whose nearest neighbour in the gallery is the same; null without a
 *     gallery
 * @param mcnemar the test of their right answers; null where nothing classifies
 */
public record FeatureComparison(
    double meanCosine,
    double worstCosine,
    int worst,
    Proportion agreement,
    Proportion nearest,
    McNemar mcnemar) {

  /**
   * Compares features alone.
   *
   * @throws InputException if the two models differ in their width
   */
  public static FeatureComparison of(Features model, Features reference) {
    return of(model, Judgement.NONE, reference, Judgement.NONE, new int[0]);
  }

  /**
   * Compares a model with a reference.
   *
   * @param judged what follows from the model's features
   * @param other what follows from the reference's in the same way
   * @param labels the class of each picture
   * @throws InputException if the two models differ in their width
   */
  public static FeatureComparison of(
      Features model, Judgement judged, Features reference, Judgement other, int[] labels) {
    if (model.width() != reference.width()) {
      throw new InputException(
          "the model to compare with has features %s wide, expected %s as the model has"
              .formatted(reference.width(), model.width()));
    }
    double[] cosines = cosines(model, reference);
    double sum = 0;
    int worst = 0;
    for (int i = 0; i < cosines.length; i++) {
      sum += cosines[i];
      worst = cosines[i] < cosines[worst] ? i : worst;
    }
    return new FeatureComparison(
        sum / cosines.length,
        cosines[worst],
        worst,
        judged.classifies() ? agreement(judged, other) : null,
        judged.neighbours().isEmpty() ? null : nearest(judged, other),
        judged.classifies() ? mcNemar(judged, other, labels) : null);
  }

  /** The cosine of the two models' features of each picture. */
  public static double[] cosines(Features model, Features reference) {
    if (model.count() != reference.count()) {
      throw new IllegalArgumentException(model.count() + " and " + reference.count() + " rows");
    }
    Cosines one = new Cosines(model);
    Cosines other = new Cosines(reference);
    double[] cosines = new double[model.count()];
    for (int i = 0; i < cosines.length; i++) {
      cosines[i] = one.of(i, other, i);
    }
    return cosines;
  }

  private static Proportion agreement(Judgement judged, Judgement other) {
    int agree = 0;
    for (int i = 0; i < judged.rankings().size(); i++) {
      agree += judged.rankings().get(i).answer() == other.rankings().get(i).answer() ? 1 : 0;
    }
    return new Proportion(agree, judged.rankings().size());
  }

  private static Proportion nearest(Judgement judged, Judgement other) {
    int same = 0;
    for (int i = 0; i < judged.neighbours().size(); i++) {
      int row = judged.neighbours().get(i).get(0).row();
      same += row == other.neighbours().get(i).get(0).row() ? 1 : 0;
    }
    return new Proportion(same, judged.neighbours().size());
  }

  private static McNemar mcNemar(Judgement judged, Judgement other, int[] labels) {
    int onlyModel = 0;
    int onlyReference = 0;
    for (int i = 0; i < labels.length; i++) {
      boolean model = judged.rankings().get(i).answer() == labels[i];
      boolean reference = other.rankings().get(i).answer() == labels[i];
      onlyModel += model && !reference ? 1 : 0;
      onlyReference += reference && !model ? 1 : 0;
    }
    return McNemar.of(onlyModel, onlyReference);
  }
}
