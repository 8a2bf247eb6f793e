package org.ivit.export.evaluate;

import java.io.Serializable;
import org.ivit.core.image.PreprocessChange;

/**
 * What a user says of a model beside its path.
 *
 * @param architecture of float weights that do not say it: a timm name or a JSON description; null
 *     if not given
 * @param weightsKey of float weights: the path in the file below which they lie; null to search
 * @param transform what of the pictures' way into it is to be otherwise
 */
public record ModelReading(String architecture, String weightsKey, PreprocessChange transform)
    implements Serializable {
  /** Nothing was said. */
  public static final ModelReading UNSAID = new ModelReading(null, null);

  /** With the model's own transform; parameters as those of the record. */
  public ModelReading(String architecture, String weightsKey) {
    this(architecture, weightsKey, PreprocessChange.NONE);
  }
}
