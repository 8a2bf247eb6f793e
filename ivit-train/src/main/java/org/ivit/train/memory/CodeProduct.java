package org.ivit.train.memory;

import java.lang.ref.Cleaner;
import java.util.Objects;
import org.ivit.core.arithmetic.OutlierChannels;

/**
 * The integer product of a linear layer on native kernels, with requantization and extremes: codes
 * to codes, exact whatever the weights. Keeps its packed memory from step to step.
 */
public final class CodeProduct {
  private static final Cleaner CLEANER = Cleaner.create();

  private final long handle;
  private final int inputs;
  private final int outputs;

  private CodeProduct(long handle, int inputs, int outputs) {
    this.handle = handle;
    this.inputs = inputs;
    this.outputs = outputs;
    long product = handle;
    CLEANER.register(this, () -> NativeRows.freeProduct(product));
  }

  /**
   * @param outliers input channels that are shifted
   * @return null where the float product is as fast, or memory is short
   */
  public static CodeProduct of(int inputs, int outputs, OutlierChannels outliers) {
    long handle = NativeRows.newProduct(inputs, outputs, outliers.channels(), outliers.shift());
    return handle == 0 ? null : new CodeProduct(handle, inputs, outputs);
  }

  /**
   * Takes the weights, [outputs][inputs], and biases of this pass.
   *
   * @return whether there was memory for them
   */
  public boolean load(byte[] weight, int[] bias) {
    Objects.checkFromIndexSize(0, inputs * outputs, weight.length);
    Objects.checkFromIndexSize(0, outputs, bias.length);
    return NativeRows.loadProduct(handle, weight, bias);
  }

  /**
   * @param x codes, [rows][inputs]
   * @param min receives the smallest accumulator of each output, or null
   * @param max receives the largest, or null
   * @param out codes, [rows][outputs], a {@code byte[]} or {@code short[]}; may be {@code x}
   */
  public void run(
      byte[] x,
      int rows,
      int[] multiplier,
      long[] half,
      int[] shift,
      int[] min,
      int[] max,
      Object out,
      Buffers buffers) {
    boolean wide = out instanceof short[];
    int length = wide ? ((short[]) out).length : ((byte[]) out).length;
    Objects.checkFromIndexSize(0, rows * inputs, x.length);
    Objects.checkFromIndexSize(0, rows * outputs, length);
    int size = Math.toIntExact(NativeRows.scratchOfProduct(handle, rows) / Float.BYTES + 1);
    Reals scratch = buffers.reals("product.codes", size);
    long address = NativeRows.address(scratch, 0, size);
    NativeRows.runProduct(handle, x, rows, multiplier, half, shift, min, max, address, wide, out);
  }
}
