package org.ivit.core.testing;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;

/** Damage to files, as a fuzz test does it. */
public final class Mutations {
  private Mutations() {}

  /** Bytes that this thread has allocated since it began. */
  public static long allocated() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getCurrentThreadAllocatedBytes();
  }

  /** A copy with one to four edits: bits, bytes, runs of ones, a cut, a copy within. */
  public static byte[] mutated(byte[] whole, Random random) {
    byte[] bytes = whole.clone();
    int edits = 1 + random.nextInt(4);
    for (int e = 0; e < edits; e++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(6)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes[at] = (byte) 0xff;
        case 3 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) 0xff);
        case 4 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
        default -> {
          int from = random.nextInt(bytes.length);
          int length = Math.min(1 + random.nextInt(16), bytes.length - Math.max(at, from));
          System.arraycopy(bytes.clone(), from, bytes, at, length);
        }
      }
    }
    return bytes;
  }
}
