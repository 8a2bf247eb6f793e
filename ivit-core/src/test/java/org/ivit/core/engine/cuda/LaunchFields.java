package org.ivit.core.engine.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;

/** What a launch hands to its kernel, read back by the names of fields in C++. */
final class LaunchFields {
  private LaunchFields() {}

  /** A field of 32 bits; the arguments begin with the structure. */
  static int number(Launch launch, Structure structure, String field) {
    return bytes(launch).getInt(offset(structure, field));
  }

  /** An address; the arguments begin with the structure. */
  static long address(Launch launch, Structure structure, String field) {
    return bytes(launch).getLong(offset(structure, field));
  }

  private static ByteBuffer bytes(Launch launch) {
    return ByteBuffer.wrap(launch.arguments()).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int offset(Structure structure, String field) {
    return structure.places().stream()
        .filter(place -> place.name().equals(field))
        .findFirst()
        .orElseThrow()
        .offset();
  }
}
