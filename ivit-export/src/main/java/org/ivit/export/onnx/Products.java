package org.ivit.export.onnx;

import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Stem;

/** The products of a float graph, which another number format may take over. */
interface Products {
  /**
   * A linear layer.
   *
   * @param layer names and sizes
   * @param rows [rows, inputs]
   * @return [rows, outputs]
   */
  String linear(LinearSpec layer, String rows);

  /**
   * The patches of pictures by their projection.
   *
   * @param stem sizes
   * @param pixels [batch, 3, height, width]
   * @return [batch·patches, channels]
   */
  String patches(Stem stem, String pixels);
}
