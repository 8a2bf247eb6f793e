package org.ivit.train.device.pass;

import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/**
 * Where the parameters and ranges of a part lie among those of the network.
 *
 * @param spec of the part
 * @param layout its parameters, ranges included where it is quantized
 * @param ranges of its nodes; null in floating point
 * @param from index of the part's first parameter
 */
public record NodeLayout(PartSpec spec, ParameterLayout layout, NodeRanges ranges, int from) {
  /** That of a quantized part. */
  public static NodeLayout quantized(PartSpec spec, int from) {
    NodeRanges ranges = NodeRanges.of(spec);
    return new NodeLayout(spec, ranges.layout(), ranges, from);
  }

  /** That of a part in floating point. */
  public static NodeLayout floating(PartSpec spec, int from) {
    return new NodeLayout(spec, spec.parameters(), null, from);
  }

  /** What its parameters' timm names begin with. */
  public String prefix() {
    return spec.prefix();
  }

  /** The part's own parameters among those of the network. */
  public int at(String key) {
    return from + layout.from(key);
  }
}
