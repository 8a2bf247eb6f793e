package org.ivit.train.device;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.cuda.Device;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Scheme;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.device.floating.FloatParts;
import org.ivit.train.device.integer.QuantizedPart;
import org.ivit.train.device.integer.QuantizedParts;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.HeadPart;
import org.ivit.train.device.pass.PartMaker;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.NetworkParts;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;
import org.ivit.train.parameter.ParameterLayout;

/**
 * The parts of a network on the device, in the order of the layers of Deeplearning4j's network, and
 * with their parameters in its order.
 */
final class DeviceNetwork implements NetworkParts, AutoCloseable {
  private final List<DevicePart> parts = new ArrayList<>();
  private final List<QuantizedPart> quantized;
  private final PartMaker maker;
  private HeadPart head;
  private int parameters;

  /**
   * @param architecture sizes
   * @param maker of its parts
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   */
  private DeviceNetwork(Architecture architecture, PartMaker maker, double stochasticDepth) {
    this.maker = maker;
    NetworkParts.visit(architecture, stochasticDepth, this);
    quantized =
        parts.stream()
            .filter(QuantizedPart.class::isInstance)
            .map(QuantizedPart.class::cast)
            .toList();
  }

  /**
   * @param scheme how it is quantized; null for floating point
   */
  static DeviceNetwork of(
      Pass pass, Architecture architecture, Scheme scheme, double stochasticDepth) {
    PartMaker maker =
        scheme == null
            ? new FloatParts(pass, architecture.epsilon())
            : new QuantizedParts(pass, scheme);
    return new DeviceNetwork(architecture, maker, stochasticDepth);
  }

  /** How many parameters such a network has, ranges included. */
  static int parameters(Device device, Architecture architecture, Scheme scheme) {
    Pass nothing = new Pass(device, 0, 0, ProductPrecision.FLOAT32, null, false);
    try (nothing;
        DeviceNetwork sizes = of(nothing, architecture, scheme, 0)) {
      return sizes.parameters;
    }
  }

  private <P extends DevicePart> P add(P part) {
    parts.add(part);
    parameters = Math.addExact(parameters, part.layout().size());
    return part;
  }

  @Override
  public void embedding(EmbeddingShape shape) {
    add(maker.embedding(shape, parameters));
  }

  @Override
  public void normedEmbedding(EmbeddingShape shape) {
    add(maker.normedEmbedding(shape, parameters));
  }

  @Override
  public void block(Block site, String input, int block, double dropPath) {
    DropPath drop1 = DropPath.of(dropPath, block, 0);
    DropPath drop2 = DropPath.of(dropPath, block, 1);
    add(maker.block(site, input, drop1, drop2, parameters));
  }

  @Override
  public void merging(Swin.Stage stage) {
    add(maker.merging(stage, parameters));
  }

  @Override
  public void head(HeadShape shape, boolean pooled, String input) {
    head = add(maker.head(shape, pooled, input, parameters));
  }

  /** The parts, in the order of their memory. */
  List<DevicePart> parts() {
    return List.copyOf(parts);
  }

  /** The layouts of the parts, in the order of their memory. */
  List<ParameterLayout> layouts() {
    return parts.stream().map(DevicePart::layout).toList();
  }

  /** Builds the nodes of a step and brings their constants to the device. */
  void prepare(Pass pass, Reals weights, WorkerPool pool) {
    quantized.forEach(part -> part.quantize(pass, weights));
    pass.channels.receive();
    pool.run(quantized.size(), i -> quantized.get(i).build(pass, weights));
    quantized.forEach(part -> part.prepare(pass, weights));
    pass.constants.send();
    pass.observed.send();
    quantized.forEach(part -> part.load(pass));
  }

  /** Draws what is random in a micro-batch. */
  void draw(Pass pass) {
    parts.forEach(part -> part.draw(pass));
  }

  /**
   * @param pixels address, [pictures][3][image][image]
   * @return address of the logits, [pictures][classes]
   */
  long forward(Pass pass, long pixels, int pictures) {
    long x = pixels;
    for (DevicePart part : parts) {
      x = part.forward(pass, x, pictures);
    }
    return x;
  }

  /** The scale of the logits of this step; 0 where they are float32. */
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
    quantized.forEach(part -> part.seen(pass, seen));
    SortedMap<String, Range> ranges = new TreeMap<>();
    seen.addTo(ranges);
    return ranges;
  }

  @Override
  public void close() {
    parts.forEach(DevicePart::close);
  }
}
