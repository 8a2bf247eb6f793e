package org.ivit.train.device.integer;

import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;
import org.ivit.train.parameter.PartSpec;

/**
 * A part of a quantized network on the device; its counterpart on the processor is a {@link
 * org.ivit.train.operator.QuantizedOperator}. Its output are 16-bit codes.
 */
public abstract class QuantizedPart implements DevicePart {
  final Scheme scheme;
  final NodeLayout layout;

  /** What lasts until the way back, and what the part hands on. */
  final DeviceBuffers kept;

  private static final class WidenArguments extends Structure {
    private final Field<Long> codes = address();
    private final Field<Long> to = address();
    private final Field<Long> count = int64();
  }

  /**
   * @param pass what parts share
   * @param spec of the part
   * @param scheme forms, widths, outlier channels
   * @param from index of the part's first parameter in the network
   */
  QuantizedPart(Pass pass, PartSpec spec, Scheme scheme, int from) {
    this.scheme = scheme;
    this.layout = NodeLayout.quantized(spec, from);
    this.kept = new DeviceBuffers(pass.device);
  }

  @Override
  public final String prefix() {
    return layout.prefix();
  }

  @Override
  public final ParameterLayout layout() {
    return layout.layout();
  }

  private Reals own(Reals weights) {
    return weights.part(layout.from(), layout().size());
  }

  /**
   * The scales of its nodes.
   *
   * @param weights of the network
   */
  final NodeScales scales(Reals weights) {
    return layout.ranges().scales(scheme, own(weights));
  }

  /** The scale of what feeds it. */
  final float inputScale(Reals weights) {
    return scales(weights).of(layout.spec().input());
  }

  /** Builds nodes of all parameters that are no matrices. */
  final NodeBuilder nodes(Reals weights) {
    return new NodeBuilder(
        ParameterView.ofVectors(layout(), layout.prefix(), own(weights)), scheme);
  }

  /** 8-bit codes to as many of 16 bits. */
  static void widen8(Pass pass, long codes, long to, long count) {
    widen(pass, "widen_codes_8", codes, to, count);
  }

  /** 16-bit codes to as many of 32 bits. */
  static void widen16(Pass pass, long codes, long to, long count) {
    widen(pass, "widen_codes_16", codes, to, count);
  }

  private static void widen(Pass pass, String kernel, long codes, long to, long count) {
    WidenArguments a = new WidenArguments();
    a.codes.set(codes);
    a.to.set(to);
    a.count.set(count);
    pass.each(kernel, count, 0, a);
  }

  /**
   * Quantizes the matrices for this step.
   *
   * @param weights of the network; of its matrices only what lies on the device counts
   * @throws org.ivit.core.InputException naming a node that has no range
   */
  public abstract void quantize(Pass pass, Reals weights);

  /**
   * Builds the nodes of this step; may run beside that of other parts.
   *
   * @param weights of the network, ranges included
   * @throws org.ivit.core.InputException naming a node that has no range, or fails a bound
   */
  public abstract void build(Pass pass, Reals weights);

  /**
   * Hands the constants of the nodes to the upload.
   *
   * @param weights of the network
   */
  public abstract void prepare(Pass pass, Reals weights);

  /** Brings constants into the forms that kernels read, after the upload. */
  public abstract void load(Pass pass);

  /** Takes what the step observed. */
  public abstract void seen(Pass pass, SeenRanges seen);

  @Override
  public void close() {
    kept.close();
  }
}
