package org.ivit.export.evaluate;

import java.io.Serializable;

/**
 * What a user says of a file of float weights that does not say it itself.
 *
 * @param architecture a timm name or a JSON description; null if not given
 * @param weightsKey the path in the file below which the weights lie; null to search for them
 */
public record FloatReading(String architecture, String weightsKey) implements Serializable {
  /** Nothing was said. */
  public static final FloatReading UNSAID = new FloatReading(null, null);
}
