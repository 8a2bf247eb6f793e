package org.ivit.core.engine.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.ivit.core.arithmetic.Dyadic;

/** The bytes of a kernel's parameter, field after field as its structure in C++ has them. */
final class Arguments {
  private final ByteBuffer bytes = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);

  /** An address, or 0 for none. */
  Arguments address(long address) {
    if (bytes.position() % 8 != 0) {
      throw new IllegalStateException("misaligned address at " + bytes.position());
    }
    bytes.putLong(address);
    return this;
  }

  /** Integers of 32 bits. */
  Arguments ints(int... values) {
    for (int value : values) {
      bytes.putInt(value);
    }
    return this;
  }

  /** A dyadic multiplier. */
  Arguments dyadic(Dyadic dyadic) {
    return ints(dyadic.multiplier(), dyadic.shift());
  }

  /** A divisor. */
  Arguments divisor(Divisor divisor) {
    return ints(divisor.multiplier(), divisor.shift());
  }

  /** Where rows belong. */
  Arguments rows(RowMap map) {
    return address(map.table())
        .divisor(Divisor.of(map.length()))
        .ints(map.length(), map.stride(), map.offset(), 0);
  }

  /** Returns what was put. */
  byte[] bytes() {
    return Arrays.copyOf(bytes.array(), bytes.position());
  }
}
