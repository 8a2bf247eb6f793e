package org.ivit.train.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Objects;

/**
 * A vector of float32 or float64 numbers in native memory, which matrix products read in place. Row
 * kernels copy a row into a Java array, compute in float64, and copy it back; so they are written
 * once for both types. Ranges out of bounds throw {@link IndexOutOfBoundsException}.
 */
public abstract sealed class Reals permits Float32Reals, Float64Reals {
  private static final float[] ZEROS = new float[1024];

  /** Codes on their way, which float32 holds exactly. */
  private static final ThreadLocal<float[]> CODES = ThreadLocal.withInitial(() -> new float[1024]);

  /**
   * Zeros of their own memory, freed when unreachable.
   *
   * @param type how to store a number
   * @param size how many
   */
  public static Reals allocate(RealType type, int size) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(Math.multiplyExact(size, type.bytes()))
            .order(ByteOrder.nativeOrder());
    return type == RealType.FLOAT32
        ? new Float32Reals(memory.asFloatBuffer())
        : new Float64Reals(memory.asDoubleBuffer());
  }

  /**
   * A view of foreign memory.
   *
   * @param memory a direct buffer; all of it is used, whatever its position and limit
   */
  public static Reals view(FloatBuffer memory) {
    return new Float32Reals(memory);
  }

  /**
   * A view of foreign memory.
   *
   * @param memory a direct buffer; all of it is used, whatever its position and limit
   */
  public static Reals view(DoubleBuffer memory) {
    return new Float64Reals(memory);
  }

  /** A copy of {@code values} in the given type. */
  public static Reals of(RealType type, double... values) {
    Reals reals = allocate(type, values.length);
    reals.put(0, values, 0, values.length);
    return reals;
  }

  /**
   * A view of a part.
   *
   * @param from first number
   * @param n how many
   */
  public abstract Reals part(int from, int n);

  /** How numbers are stored. */
  public abstract RealType type();

  /** How many numbers there are. */
  public abstract int size();

  /** The number at {@code index}, widened. */
  public abstract double get(int index);

  /** Stores a number, rounded to the type. */
  public abstract void put(int index, double value);

  /** Copies {@code n} numbers from {@code from} on into {@code target}, widened. */
  public abstract void get(int from, double[] target, int targetFrom, int n);

  /** Copies {@code n} numbers into {@code target}, rounded to float32. */
  public abstract void get(int from, float[] target, int targetFrom, int n);

  /** Stores {@code n} numbers from {@code at} on, rounded to the type. */
  public abstract void put(int at, double[] source, int sourceFrom, int n);

  /** Stores {@code n} numbers from {@code at} on. */
  public abstract void put(int at, float[] source, int sourceFrom, int n);

  /** Copies {@code n} integers that are stored exactly, such as accumulators. */
  public abstract void getInts(int from, int[] target, int targetFrom, int n);

  /** Stores {@code n} 8-bit codes as numbers. */
  public final void put(int at, byte[] source, int sourceFrom, int n) {
    Objects.checkFromIndexSize(sourceFrom, n, source.length);
    float[] row = CODES.get();
    for (int done = 0; done < n; done += row.length) {
      int part = Math.min(row.length, n - done);
      for (int i = 0; i < part; i++) {
        row[i] = source[sourceFrom + done + i];
      }
      put(at + done, row, 0, part);
    }
  }

  /** Stores {@code n} 16-bit codes as numbers. */
  public final void put(int at, short[] source, int sourceFrom, int n) {
    Objects.checkFromIndexSize(sourceFrom, n, source.length);
    float[] row = CODES.get();
    for (int done = 0; done < n; done += row.length) {
      int part = Math.min(row.length, n - done);
      for (int i = 0; i < part; i++) {
        row[i] = source[sourceFrom + done + i];
      }
      put(at + done, row, 0, part);
    }
  }

  /** Copies {@code n} numbers from {@code source}, of the same type, to {@code at}. */
  public abstract void put(int at, Reals source, int sourceFrom, int n);

  /** Sets {@code n} numbers from {@code from} on to zero. */
  public final void clear(int from, int n) {
    for (int done = 0; done < n; done += ZEROS.length) {
      put(from + done, ZEROS, 0, Math.min(ZEROS.length, n - done));
    }
  }

  /** All numbers as float64. */
  public final double[] doubles() {
    double[] all = new double[size()];
    get(0, all, 0, all.length);
    return all;
  }

  /** All numbers as float32. */
  public final float[] floats() {
    float[] all = new float[size()];
    get(0, all, 0, all.length);
    return all;
  }
}
