package org.ivit.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How pictures are prepared where a recipe does not say it: as they were for its weights. */
final class UsualPreprocessing {
  private static final Logger LOG = LoggerFactory.getLogger(UsualPreprocessing.class);

  private UsualPreprocessing() {}

  /**
   * @param architecture of the recipe
   * @param weights that it starts from, or null
   * @param pretrained their model, where it is their architecture that the recipe has; or null
   */
  static Data.Preprocessing of(JsonNode architecture, Path weights, PretrainedModel pretrained) {
    if (pretrained != null) {
      return Data.Preprocessing.of(pretrained.preprocess(), pretrained.architecture().image());
    }
    if (weights != null && Files.isRegularFile(weights.resolve(Recipe.FILE))) {
      return Recipe.read(weights.resolve(Recipe.FILE)).data().preprocessing();
    }
    Architecture sizes;
    try {
      sizes = Architectures.parse(architecture);
    } catch (InputException e) {
      // Said with all that is wrong with it when the run begins; nothing of the transform matters.
      LOG.debug("no usual transform", e);
      return Data.Preprocessing.PLAIN;
    }
    Preprocess usual = weights == null ? null : ofSource(weights, sizes.image());
    return Data.Preprocessing.of(
        usual == null ? PretrainedPreprocess.usual(sizes) : usual, sizes.image());
  }

  /** Null where the source does not say it, or cannot be read, as the run says when it begins. */
  private static Preprocess ofSource(Path weights, Size image) {
    TensorContents contents;
    try {
      contents = TensorFiles.contents(TensorFiles.file(weights));
    } catch (InputException e) {
      LOG.debug("no transform of the weights", e);
      return null;
    }
    try (contents) {
      return PretrainedModel.preprocess(weights, contents, image, LOG::info).orElse(null);
    }
  }
}
