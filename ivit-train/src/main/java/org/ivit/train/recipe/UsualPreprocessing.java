package org.ivit.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Architectures;
import org.ivit.core.architecture.PretrainedPreprocess;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.HuggingFaceFolder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How pictures are prepared where a recipe does not say it: as they were for its weights. */
final class UsualPreprocessing {
  private static final Logger LOG = LoggerFactory.getLogger(UsualPreprocessing.class);

  /** The recipe of a run, within its folder. */
  private static final String CONFIG = "config.yaml";

  private UsualPreprocessing() {}

  /**
   * @param architecture of the recipe
   * @param weights that it starts from, or null
   */
  static Data.Preprocessing of(JsonNode architecture, Path weights) {
    if (weights != null && Files.isRegularFile(weights.resolve(CONFIG))) {
      return Recipe.read(weights.resolve(CONFIG)).data().preprocessing();
    }
    boolean folder = weights != null && HuggingFaceFolder.is(weights);
    Architecture sizes;
    try {
      sizes = Architectures.parse(architecture);
    } catch (InputException e) {
      // Said with all that is wrong with it when the run begins; nothing of the transform matters.
      LOG.debug("no usual transform", e);
      return Data.Preprocessing.of(Preprocess.half(1, 1), 1);
    }
    if (folder) {
      return Data.Preprocessing.of(HuggingFaceFolder.preprocess(weights, LOG::info), sizes.image());
    }
    Preprocess usual = PretrainedPreprocess.usual(sizes, sizes.image());
    return Data.Preprocessing.of(usual, sizes.image());
  }
}
