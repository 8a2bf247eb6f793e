package org.ivit.train.memory;

import java.nio.DoubleBuffer;
import java.util.Objects;

/** Double precision. */
final class Float64Reals extends Reals {
  private static final int ROW = 1024;

  private static final ThreadLocal<double[]> SCRATCH =
      ThreadLocal.withInitial(() -> new double[ROW]);

  private final DoubleBuffer buffer;

  Float64Reals(DoubleBuffer memory) {
    if (!memory.isDirect()) {
      throw new IllegalArgumentException("expected a direct buffer");
    }
    this.buffer = memory.duplicate().clear();
  }

  /** The memory, from its first number on. */
  DoubleBuffer buffer() {
    return buffer;
  }

  @Override
  public Reals part(int from, int n) {
    return new Float64Reals(buffer.slice(from, n));
  }

  @Override
  public RealType type() {
    return RealType.FLOAT64;
  }

  @Override
  public int size() {
    return buffer.capacity();
  }

  @Override
  public double get(int index) {
    return buffer.get(index);
  }

  @Override
  public void put(int index, double value) {
    buffer.put(index, value);
  }

  @Override
  public void get(int from, double[] target, int targetFrom, int n) {
    buffer.get(from, target, targetFrom, n);
  }

  @Override
  public void get(int from, float[] target, int targetFrom, int n) {
    Objects.checkFromIndexSize(targetFrom, n, target.length);
    double[] row = SCRATCH.get();
    for (int done = 0; done < n; done += ROW) {
      int part = Math.min(ROW, n - done);
      buffer.get(from + done, row, 0, part);
      for (int i = 0; i < part; i++) {
        target[targetFrom + done + i] = (float) row[i];
      }
    }
  }

  @Override
  public void put(int at, double[] source, int sourceFrom, int n) {
    buffer.put(at, source, sourceFrom, n);
  }

  @Override
  public void put(int at, float[] source, int sourceFrom, int n) {
    Objects.checkFromIndexSize(sourceFrom, n, source.length);
    double[] row = SCRATCH.get();
    for (int done = 0; done < n; done += ROW) {
      int part = Math.min(ROW, n - done);
      for (int i = 0; i < part; i++) {
        row[i] = source[sourceFrom + done + i];
      }
      buffer.put(at + done, row, 0, part);
    }
  }

  @Override
  public void getInts(int from, int[] target, int targetFrom, int n) {
    Objects.checkFromIndexSize(targetFrom, n, target.length);
    double[] row = SCRATCH.get();
    for (int done = 0; done < n; done += ROW) {
      int part = Math.min(ROW, n - done);
      buffer.get(from + done, row, 0, part);
      for (int i = 0; i < part; i++) {
        target[targetFrom + done + i] = (int) row[i];
      }
    }
  }

  @Override
  public void put(int at, Reals source, int sourceFrom, int n) {
    buffer.put(at, ((Float64Reals) source).buffer, sourceFrom, n);
  }
}
