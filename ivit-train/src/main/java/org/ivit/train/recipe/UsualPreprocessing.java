package org.ivit.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.PretrainedModel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How pictures are prepared where a recipe does not say it: as they were for its weights. */
final class UsualPreprocessing {
  private static final Logger LOG = LoggerFactory.getLogger(UsualPreprocessing.class);

  private UsualPreprocessing() {}

  /**
   * @param architecture of the recipe
   * @param weights that it starts from, or null
   */
  static Data.Preprocessing of(JsonNode architecture, Path weights) {
    if (weights != null && Files.isRegularFile(weights.resolve(Recipe.FILE))) {
      return Recipe.read(weights.resolve(Recipe.FILE)).data().preprocessing();
    }
    boolean folder = weights != null && PretrainedModel.isConfigured(weights);
    Architecture sizes;
    try {
      sizes = Architectures.parse(architecture);
    } catch (InputException e) {
      // Said with all that is wrong with it when the run begins; nothing of the transform matters.
      LOG.debug("no usual transform", e);
      return Data.Preprocessing.PLAIN;
    }
    if (folder) {
      return Data.Preprocessing.of(
          PretrainedModel.preprocess(weights, sizes.image(), LOG::info), sizes.image());
    }
    Preprocess usual = PretrainedPreprocess.usual(sizes, sizes.image());
    return Data.Preprocessing.of(usual, sizes.image());
  }
}
