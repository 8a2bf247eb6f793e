package org.ivit.core.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.ivit.core.arithmetic.Dyadic;

/** The bytes of a kernel's parameter, field after field as its structure in C++ has them. */
public final class Arguments {
  private final ByteBuffer bytes = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);

  /** An address, or 0 for none. */
  public Arguments address(long address) {
    if (bytes.position() % 8 != 0) {
      throw new IllegalStateException("misaligned address at " + bytes.position());
    }
    bytes.putLong(address);
    return this;
  }

  /** Integers of 32 bits. */
  public Arguments ints(int... values) {
    for (int value : values) {
      bytes.putInt(value);
    }
    return this;
  }

  /** Integers of 64 bits, each at a multiple of 8 bytes. */
  public Arguments longs(long... values) {
    for (long value : values) {
      address(value);
    }
    return this;
  }

  /** Numbers of 32 bits. */
  public Arguments floats(float... values) {
    for (float value : values) {
      bytes.putFloat(value);
    }
    return this;
  }

  /** Numbers of 64 bits, each at a multiple of 8 bytes. */
  public Arguments doubles(double... values) {
    for (double value : values) {
      address(Double.doubleToRawLongBits(value));
    }
    return this;
  }

  /** A dyadic multiplier. */
  public Arguments dyadic(Dyadic dyadic) {
    return ints(dyadic.multiplier(), dyadic.shift());
  }

  /** A divisor. */
  public Arguments divisor(Divisor divisor) {
    return ints(divisor.multiplier(), divisor.shift());
  }

  /** Returns what was put. */
  public byte[] bytes() {
    return Arrays.copyOf(bytes.array(), bytes.position());
  }
}
