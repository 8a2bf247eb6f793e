package org.ivit.train.device;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.BlockSite;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Scheme;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.EmbeddingShape;
import org.ivit.train.operator.HeadShape;
import org.ivit.train.operator.ParameterLayout;
import org.ivit.train.operator.Reals;
import org.ivit.train.operator.SeenRanges;

/**
 * The parts of a quantized network on the device, in the order of the layers of Deeplearning4j's
 * network, and with their parameters in its order.
 */
final class DeviceNetwork implements AutoCloseable {
  private final List<DevicePart> parts = new ArrayList<>();
  private final DeviceHead head;
  private final double stochasticDepth;
  private int parameters;
  private int blocks;

  /**
   * @param pass what parts share
   * @param architecture sizes
   * @param scheme how it is quantized
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   */
  DeviceNetwork(Pass pass, Architecture architecture, Scheme scheme, double stochasticDepth) {
    this.stochasticDepth = stochasticDepth;
    head =
        architecture instanceof Swin swin
            ? swin(pass, swin, scheme)
            : vit(pass, (Vit) architecture, scheme);
  }

  private <P extends DevicePart> P add(P part) {
    parts.add(part);
    parameters = Math.addExact(parameters, part.layout().size());
    return part;
  }

  private void block(Pass pass, BlockSite site, String input, Scheme scheme, int depth) {
    double rate = depth == 1 ? 0 : stochasticDepth * blocks / (double) (depth - 1);
    DropPath drop1 = new DropPath(rate, 2L * blocks);
    DropPath drop2 = new DropPath(rate, 2L * blocks + 1);
    add(new DeviceBlock(pass, site, input, scheme, drop1, drop2, parameters));
    blocks++;
  }

  private DeviceHead vit(Pass pass, Vit vit, Scheme scheme) {
    EmbeddingShape shape = new EmbeddingShape(vit.image(), vit.patch(), vit.dim(), vit.leading());
    add(new DeviceEmbedding(pass, shape, scheme, parameters));
    int depth = vit.blocks().size();
    for (BlockSite site : vit.blocks()) {
      block(pass, site, NodeNames.stream(blocks), scheme, depth);
    }
    HeadShape head = new HeadShape(vit.tokens(), vit.dim(), vit.classes(), vit.classifiers());
    String input = NodeNames.stream(depth);
    return add(new DeviceHead(pass, head, false, input, scheme, parameters));
  }

  private DeviceHead swin(Pass pass, Swin swin, Scheme scheme) {
    EmbeddingShape shape = new EmbeddingShape(swin.image(), swin.patch(), swin.dim());
    add(new DeviceNormedEmbedding(pass, shape, scheme, parameters));
    String output = "";
    for (Swin.Stage stage : swin.stages()) {
      for (BlockSite site : stage.blocks()) {
        block(pass, site, swin.streamInto(blocks), scheme, swin.blocks().size());
      }
      if (stage.merges()) {
        add(new DeviceMerging(pass, stage, scheme, parameters));
      }
      output = stage.output();
    }
    HeadShape head = new HeadShape(swin.pooledTokens(), swin.features(), swin.classes());
    return add(new DeviceHead(pass, head, true, output, scheme, parameters));
  }

  /** How many parameters there are, ranges included. */
  int parameters() {
    return parameters;
  }

  /** The layouts of the parts, in the order of their memory. */
  List<ParameterLayout> layouts() {
    return parts.stream().map(DevicePart::layout).toList();
  }

  /** Builds the nodes of a step and brings their constants to the device. */
  void prepare(Pass pass, Reals weights, WorkerPool pool) {
    parts.forEach(part -> part.quantize(pass, weights));
    pass.channels.receive();
    pool.run(parts.size(), i -> parts.get(i).build(pass, weights));
    parts.forEach(part -> part.prepare(pass, weights));
    pass.constants.send();
    pass.observed.send();
    parts.forEach(part -> part.load(pass));
  }

  /** Draws what is random in a micro-batch. */
  void draw(Pass pass) {
    parts.forEach(part -> part.draw(pass));
  }

  /**
   * @param pixels address, [pictures][3][image][image]
   * @return address of int32 logits, [pictures][classes]
   */
  long forward(Pass pass, long pixels, int pictures) {
    long x = pixels;
    for (DevicePart part : parts) {
      x = part.forward(pass, x, pictures);
    }
    return x;
  }

  /** The scale of the logits of this step. */
  float logitScale() {
    return head.logitScale();
  }

  /**
   * @param gLogits address of the gradient by the logits, [pictures][classes]
   */
  void backward(Pass pass, long gLogits, int pictures) {
    long g = gLogits;
    for (int i = parts.size() - 1; i >= 0; i--) {
      g = parts.get(i).backward(pass, g, pictures);
    }
  }

  /** Smallest and largest value of each node over the micro-batches of the step. */
  SortedMap<String, Range> seen(Pass pass) {
    pass.observed.receive();
    SeenRanges seen = new SeenRanges();
    parts.forEach(part -> part.seen(pass, seen));
    SortedMap<String, Range> ranges = new TreeMap<>();
    seen.addTo(ranges);
    return ranges;
  }

  @Override
  public void close() {
    parts.forEach(DevicePart::close);
  }
}
