package org.ivit.export.model;

import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.PreprocessChange;

/**
 * Float weights with all that is needed to run or to export them.
 *
 * @param identity where they come from
 * @param architecture that they fit
 * @param weights parameters by timm name
 * @param preprocess how a picture becomes their input
 * @param classes {@link ClassNames#UNKNOWN} where nothing names them
 */
public record FloatSource(
    ModelIdentity identity,
    Architecture architecture,
    FloatWeights weights,
    Preprocess preprocess,
    ClassNames classes) {
  /** The same with what of the transform is wanted otherwise. */
  public FloatSource with(PreprocessChange change) {
    return new FloatSource(identity, architecture, weights, change.of(preprocess), classes);
  }
}
