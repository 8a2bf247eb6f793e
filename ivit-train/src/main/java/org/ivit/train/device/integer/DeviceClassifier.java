package org.ivit.train.device.integer;

import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedChannels;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;

/**
 * The classifiers on the device: 8-bit codes of a picture to its logits, the sum of the
 * classifiers' on half the scale where there are two.
 */
final class DeviceClassifier implements AutoCloseable {
  private final Head part;
  private final List<DeviceLinear> heads;
  private List<LinearConstants> built;

  /**
   * @param outliers channels of what is classified
   */
  DeviceClassifier(Pass pass, NodeLayout layout, Head part, OutlierChannels outliers) {
    this.part = part;
    heads =
        part.linears().stream()
            .map(layer -> new DeviceLinear(pass, layout, layer, outliers))
            .toList();
  }

  void quantize(Pass pass, Reals weights, NodeScales scales) {
    heads.forEach(head -> head.quantize(pass, weights, scales));
  }

  void build(Pass pass, NodeBuilder nodes, NodeScales scales) {
    List<QuantizedChannels> channels = heads.stream().map(head -> head.channels(pass)).toList();
    built = nodes.classifierConstants(part, channels, scales);
  }

  void prepare(Pass pass) {
    for (int h = 0; h < heads.size(); h++) {
      heads.get(h).prepare(pass, built.get(h));
    }
  }

  void load(Pass pass) {
    heads.forEach(head -> head.load(pass));
  }

  int count() {
    return heads.size();
  }

  /** The scale of the logits. */
  float scale() {
    return built.get(0).outputScale() / heads.size();
  }

  /** Adds the logits of a classifier; the first one writes them. */
  void forward(Pass pass, int head, long x, int pictures, long logits) {
    heads.get(head).logits(pass, x, pictures, logits, head > 0);
  }

  void backward(Pass pass, int head, long x, long gLogits, long gx, int pictures) {
    heads.get(head).backward(pass, x, gLogits, gx, pictures);
  }

  @Override
  public void close() {
    heads.forEach(DeviceLinear::close);
  }
}
