package org.ivit.train.memory;

import java.util.HashMap;
import java.util.Map;

/**
 * Memory by name that is kept from step to step and grows when asked for more. What a buffer holds
 * when it is asked for is left from its last use. Not safe for two threads at once.
 */
public final class Buffers {
  private final RealType type;
  private final Map<String, Reals> reals = new HashMap<>();
  private final Map<String, double[]> doubles = new HashMap<>();
  private final Map<String, float[]> floats = new HashMap<>();
  private final Map<String, int[]> ints = new HashMap<>();
  private final Map<String, short[]> shorts = new HashMap<>();
  private final Map<String, byte[]> bytes = new HashMap<>();

  public Buffers(RealType type) {
    this.type = type;
  }

  /** How numbers are stored. */
  public RealType type() {
    return type;
  }

  /** At least {@code size} numbers. */
  public Reals reals(String name, int size) {
    Reals buffer = reals.get(name);
    if (buffer == null || buffer.size() < size) {
      buffer = Reals.allocate(type, size);
      reals.put(name, buffer);
    }
    return buffer;
  }

  /** At least {@code size} numbers. */
  public double[] doubles(String name, int size) {
    double[] buffer = doubles.get(name);
    if (buffer == null || buffer.length < size) {
      buffer = new double[size];
      doubles.put(name, buffer);
    }
    return buffer;
  }

  /** At least {@code size} numbers. */
  public float[] floats(String name, int size) {
    float[] buffer = floats.get(name);
    if (buffer == null || buffer.length < size) {
      buffer = new float[size];
      floats.put(name, buffer);
    }
    return buffer;
  }

  /** At least {@code size} integers. */
  public int[] ints(String name, int size) {
    int[] buffer = ints.get(name);
    if (buffer == null || buffer.length < size) {
      buffer = new int[size];
      ints.put(name, buffer);
    }
    return buffer;
  }

  /** At least {@code size} 16-bit codes. */
  public short[] shorts(String name, int size) {
    short[] buffer = shorts.get(name);
    if (buffer == null || buffer.length < size) {
      buffer = new short[size];
      shorts.put(name, buffer);
    }
    return buffer;
  }

  /** At least {@code size} 8-bit codes. */
  public byte[] bytes(String name, int size) {
    byte[] buffer = bytes.get(name);
    if (buffer == null || buffer.length < size) {
      buffer = new byte[size];
      bytes.put(name, buffer);
    }
    return buffer;
  }
}
