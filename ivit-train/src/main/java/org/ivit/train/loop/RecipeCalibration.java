package org.ivit.train.loop;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Rgb;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.loading.RecipePictures;
import org.ivit.train.ptq.PostTrainingCalibration;
import org.ivit.train.ptq.bits.FileSize;
import org.ivit.train.recipe.Calibration;
import org.ivit.train.recipe.Recipe;

/**
 * From float weights and pictures to rounded weights, scheme and ranges, as a recipe says; without
 * a network of Deeplearning4j.
 */
public final class RecipeCalibration {
  private final Recipe recipe;
  private final Architecture architecture;
  private final WorkerPool pool;

  /**
   * @param recipe of a quantized network
   * @param architecture that it names
   * @param pool threads
   */
  public RecipeCalibration(Recipe recipe, Architecture architecture, WorkerPool pool) {
    this.recipe = recipe;
    this.architecture = architecture;
    this.pool = pool;
  }

  /**
   * Calibrates.
   *
   * @param weights float parameters by timm name
   * @param pictures of which the recipe takes some
   * @param fileSize measures files where the recipe leaves the bits of layers open
   * @param progress hears of each part
   * @throws InputException if no picture can be read, or if the model fails a bound: names the
   *     node; or if no bits of weights keep their budget
   */
  public PostTrainingCalibration.Result run(
      FloatWeights weights,
      Dataset pictures,
      FileSize fileSize,
      PostTrainingCalibration.Progress progress) {
    Calibration calibration = recipe.quantization().calibration();
    List<float[]> moments =
        recipe.quantization().weights().fewer()
            ? batches(pictures, calibration.momentPictures())
            : List.of();
    return new PostTrainingCalibration(architecture, recipe.quantization(), pool)
        .run(weights, batches(pictures, calibration.pictures()), moments, fileSize, progress);
  }

  /** Normalised pixels, [pictures][3][image][image] each. */
  private List<float[]> batches(Dataset pictures, int count) {
    Calibration calibration = recipe.quantization().calibration();
    EvaluationTransform transform =
        new EvaluationTransform(RecipePictures.preprocess(recipe, architecture));
    List<Rgb> cropped = new ArrayList<>();
    try (PictureLoader<Rgb> loader =
        new PictureLoader<>(
            pictures,
            RecipePictures.calibrationOrder(
                calibration.select(), count, pictures.size(), recipe.seed()),
            (picture, index) -> transform.apply(picture),
            RecipePictures.onCorrupt(recipe),
            recipe.threads(),
            2 * calibration.batchSize())) {
      while (loader.hasNext()) {
        cropped.add(loader.next().value());
      }
    }
    if (cropped.isEmpty()) {
      throw new InputException("quantization.calibration: found no picture that can be read");
    }
    return new NormalisedBatches(
        cropped, calibration.batchSize(), new Normalisation(transform.preprocess()));
  }
}
