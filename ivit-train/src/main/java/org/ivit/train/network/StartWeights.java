package org.ivit.train.network;

import java.nio.file.Path;
import java.util.function.Consumer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.pretrained.WeightAdaptation;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.pretrained.WeightSearch;
import org.ivit.core.tensor.TensorFile;
import org.ivit.train.parameter.GridPoints;
import org.ivit.train.recipe.Recipe;

/** The weights that a recipe names. */
public final class StartWeights {
  private StartWeights() {}

  /**
   * The weights that a run starts from. A head for other classes is replaced where it will be
   * trained; calibration alone could not make anything of it.
   *
   * @param say hears what was adapted
   * @return null where the recipe starts from scratch
   */
  public static FloatWeights read(Recipe recipe, Architecture architecture, Consumer<String> say) {
    if (recipe.weights() == null) {
      return null;
    }
    TensorFile tensors =
        new WeightSearch(architecture, recipe.weightsKey(), say).findFitted(recipe.weights());
    if (recipe.schedule().epochs() > 0) {
      tensors = new WeightAdaptation(architecture, say).newHead(tensors, recipe.seed());
    }
    return checked(tensors, architecture);
  }

  /**
   * The weights in a file, as they are.
   *
   * @param key the path in it below which they lie; null to search for them
   */
  public static FloatWeights read(
      Path file, Architecture architecture, String key, Consumer<String> say) {
    return checked(new WeightSearch(architecture, key, say).find(file), architecture);
  }

  private static FloatWeights checked(TensorFile tensors, Architecture architecture) {
    WeightCheck.check(tensors, architecture);
    FloatWeights.of(tensors.tensors()).requireCodes(tensors.source());
    return GridPoints.read(tensors, architecture);
  }
}
