package org.ivit.train.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.Device;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.floating.FloatParts;
import org.ivit.train.device.integer.QuantizedPart;
import org.ivit.train.device.integer.QuantizedParts;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/**
 * The parts of a network on the device, in the order of the layers of Deeplearning4j's network, and
 * with their parameters in its order.
 */
final class DeviceNetwork implements AutoCloseable {
  private final List<DevicePart> parts = new ArrayList<>();
  private final List<QuantizedPart> quantized = new ArrayList<>();
  private int parameters;

  private DeviceNetwork() {}

  /**
   * @param pass what parts share
   * @param architecture sizes
   * @param scheme how it is quantized; null for floating point
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   * @param grids forms of the grids of weights of fewer bits, by name of the weight
   */
  static DeviceNetwork of(
      Pass pass,
      Architecture architecture,
      Scheme scheme,
      double stochasticDepth,
      Map<String, GridForm> grids) {
    DeviceNetwork network = new DeviceNetwork();
    for (PartSpec spec : PartSpec.of(architecture, stochasticDepth, grids)) {
      network.add(pass, spec, scheme);
    }
    return network;
  }

  private void add(Pass pass, PartSpec spec, Scheme scheme) {
    if (scheme == null) {
      parts.add(spec.part().accept(new FloatParts(pass, spec, parameters)));
    } else {
      quantized.add(spec.part().accept(new QuantizedParts(pass, spec, scheme, parameters)));
      parts.add(quantized.get(quantized.size() - 1));
    }
    parameters = Math.addExact(parameters, parts.get(parts.size() - 1).layout().size());
  }

  /** How many parameters such a network has, ranges included. */
  static int parameters(
      Device device, Architecture architecture, Scheme scheme, Map<String, GridForm> grids) {
    Pass nothing = new Pass(device, 0, 0, ProductPrecision.FLOAT32, null, false);
    try (nothing;
        DeviceNetwork sizes = of(nothing, architecture, scheme, 0, grids)) {
      return sizes.parameters;
    }
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
    pass.grids.prepare(weights, pool);
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
   * @param pixels address, [pictures][3][height][width]
   * @return address of the logits, or of what the answer is, [pictures][classes]
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
    return parts.get(parts.size() - 1).logitScale();
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
