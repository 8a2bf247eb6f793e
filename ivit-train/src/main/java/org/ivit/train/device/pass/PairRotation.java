package org.ivit.train.device.pass;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Rotation;
import org.ivit.train.device.memory.DeviceBuffers;

/** Turns pairs of channels of queries and keys, or gradients by them back; in reals. */
public final class PairRotation implements AutoCloseable {
  private final Block site;
  private final Rotary.Table table;
  private final DeviceBuffers memory;

  private static final class RealRotationArguments extends Structure {
    private final Field<Long> values = address();
    private final Field<Long> turns = address();
    private final Field<Long> rows = int64();
    private final Field<Divisor> ofRow = divisor();
    private final Field<Divisor> ofTokens = divisor();
    private final Field<Divisor> ofPairs = divisor();
    private final Field<Integer> tokens = int32();
    private final Field<Integer> heads = int32();
    private final Field<Integer> headDim = int32();
    private final Field<Integer> step = int32();
    private final Field<Integer> distance = int32();
    private final Field<Integer> back = int32();
  }

  private PairRotation(Pass pass, Block site, Rotary.Table table) {
    this.site = site;
    this.table = table;
    this.memory = new DeviceBuffers(pass.device);
  }

  /** By the angles of the float network. */
  public static PairRotation ofAngles(Pass pass, Block site) {
    return new PairRotation(pass, site, site.rotary().table(site.headDim()));
  }

  /** By the codes of the integer network. */
  public static PairRotation ofCodes(Pass pass, Block site) {
    Rotation.Turns turns = Rotation.Turns.of(site.rotary(), site.headDim());
    return new PairRotation(pass, site, turns.values());
  }

  /**
   * In place.
   *
   * @param values address, [rows][3][heads][headDim]; the last third is left as it is
   * @param back whether by the opposite angles
   */
  public void run(Pass pass, long values, int rows, boolean back) {
    int distance = distance();
    RealRotationArguments a = new RealRotationArguments();
    a.values.set(values);
    a.turns.set(memory.constants("turns", this::words));
    int pairs = site.heads() * site.headDim();
    a.rows.set((long) rows);
    a.ofRow.set(Divisor.of(pairs));
    a.ofTokens.set(Divisor.of(site.tokens()));
    a.ofPairs.set(Divisor.of(site.headDim() / 2));
    a.tokens.set(site.tokens());
    a.heads.set(site.heads());
    a.headDim.set(site.headDim());
    a.step.set(step());
    a.distance.set(distance);
    a.back.set(back ? 1 : 0);
    pass.each("rotate_reals", (long) rows * pairs, 0, a);
  }

  /** Channels from the first of a pair to the second: half a head, or 1. */
  private int distance() {
    return site.rotary().kind().partner(0, site.headDim());
  }

  private int step() {
    return distance() == 1 ? 2 : 1;
  }

  /** Cosine and sine of each pair's first channel, as bits of float32. */
  private int[] words() {
    int headDim = site.headDim();
    int[] words = new int[Math.multiplyExact(site.tokens(), headDim)];
    for (int i = 0; i < words.length; i += 2) {
      int first = i - i % headDim + i % headDim / 2 * step();
      words[i] = Float.floatToRawIntBits((float) table.cos()[first]);
      words[i + 1] = Float.floatToRawIntBits((float) table.sin()[first]);
    }
    return words;
  }

  @Override
  public void close() {
    memory.close();
  }
}
