package org.ivit.train.ptq;

import java.util.List;
import org.ivit.train.recipe.Quantization;
import org.ivit.train.recipe.Recipe;

/** A recipe of which only the bits of weights matter. */
final class WeightRecipe {
  private WeightRecipe() {}

  /**
   * How it quantizes.
   *
   * @param weights the section {@code quantization.weights} in YAML
   */
  static Quantization quantization(String weights) {
    return Recipe.parse(
            "run.yaml",
            """
            architecture: deit_tiny_patch16_224
            data: {train: pictures}
            optimizer: {learningRate: 1.0e-6, batchSize: 4}
            schedule: {epochs: 0}
            quantization: {calibration: {data: pictures}}
            """,
            List.of("quantization.weights=" + weights))
        .quantization();
  }
}
