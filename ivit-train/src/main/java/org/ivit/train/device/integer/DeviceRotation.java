package org.ivit.train.device.integer;

import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Rotation;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.PairRotation;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.SeenRanges;

/** Rotary positions on the device, between the codes of qkv and those that attention reads. */
final class DeviceRotation implements AutoCloseable {
  private final Block site;
  private final PairRotation gradients;
  private final DeviceBuffers memory;
  private Rotation node;
  private float inputScale;
  private int extremes;

  private static final class ObservedRotationArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> turns = address();
    private final Field<Long> partner = address();
    private final Field<Long> extremes = address();
    private final Field<Dyadic> rotation = dyadic();
    private final Field<Divisor> ofRow = divisor();
    private final Field<Divisor> ofTokens = divisor();
    private final Field<Divisor> ofHeadDim = divisor();
    private final Field<Long> rows = int64();
    private final Field<Integer> tokens = int32();
    private final Field<Integer> heads = int32();
    private final Field<Integer> headDim = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param pass what parts share
   * @param site with rotary positions
   */
  DeviceRotation(Pass pass, Block site) {
    this.site = site;
    gradients = PairRotation.ofCodes(pass, site);
    memory = new DeviceBuffers(pass.device);
  }

  /**
   * Takes the node of this step.
   *
   * @param scale of the input codes
   */
  void prepare(Pass pass, Rotation built, float scale) {
    node = built;
    inputScale = scale;
    extremes = pass.integerExtremes();
  }

  /**
   * @param qkv address of 16-bit codes, [rows][3·dim]
   * @param out receives 8-bit codes, [rows][3·dim]
   */
  void forward(Pass pass, long qkv, int rows, long out) {
    ObservedRotationArguments a = new ObservedRotationArguments();
    a.from.set(qkv);
    a.to.set(out);
    a.turns.set(memory.constants("turns", this::words));
    a.partner.set(memory.constants("partner", node.turns()::partner));
    a.extremes.set(pass.observed(extremes));
    a.rotation.set(node.requantization());
    int row = 3 * site.heads() * site.headDim();
    a.ofRow.set(Divisor.of(row));
    a.ofTokens.set(Divisor.of(site.tokens()));
    a.ofHeadDim.set(Divisor.of(site.headDim()));
    a.rows.set((long) rows);
    a.tokens.set(site.tokens());
    a.heads.set(site.heads());
    a.headDim.set(site.headDim());
    pass.each("rotate_observed", (long) rows * row, Pass.EXTREMES_BYTES, a);
  }

  private int[] words() {
    Rotation.Turns turns = node.turns();
    int[] words = new int[turns.cos().length];
    for (int i = 0; i < words.length; i++) {
      words[i] = (turns.cos()[i] & 0xffff) | (turns.sin()[i] << 16);
    }
    return words;
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}).
   *
   * @param gradient by the output, then by the input, [rows][3·dim]
   */
  void backward(Pass pass, long gradient, int rows) {
    gradients.run(pass, gradient, rows, true);
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    double scale = Rotation.turnedScale(inputScale);
    pass.includeIntegers(seen, node.name(), extremes, scale);
  }

  @Override
  public void close() {
    gradients.close();
    memory.close();
  }
}
