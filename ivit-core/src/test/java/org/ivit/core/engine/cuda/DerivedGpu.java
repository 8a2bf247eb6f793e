package org.ivit.core.engine.cuda;

import java.util.List;

/**
 * What is published of a GPU, and what is assumed of it.
 *
 * @param name short
 * @param target whose machine code runs on it, such as {@code 90a}
 * @param multiprocessors number
 * @param gigahertz clock under load
 * @param multiplyAdds of 8-bit integers, dense, of a multiprocessor a clock
 * @param fed part of them that {@code mma.sync} reaches at most
 * @param memory GB/s of its memory
 * @param cache GB/s from the second level cache, assumed
 * @param warps resident on a multiprocessor at most
 * @param sharedKilobytes of shared memory of a multiprocessor; a block may have one less
 */
record DerivedGpu(
    String name,
    String target,
    int multiprocessors,
    double gigahertz,
    int multiplyAdds,
    double fed,
    double memory,
    double cache,
    int warps,
    int sharedKilobytes) {

  /** Those of the tables in docs/performance.md. */
  static final List<DerivedGpu> ALL =
      List.of(
          new DerivedGpu("H100", "90a", 132, 1.755, 4096, 0.62, 3350, 6000, 64, 228),
          new DerivedGpu("A100", "80", 108, 1.41, 2048, 1, 2039, 4500, 64, 164),
          new DerivedGpu("RTX 4090", "89", 128, 2.52, 1024, 1, 1008, 5000, 48, 100),
          new DerivedGpu("L4", "89", 58, 2.04, 1024, 1, 300, 1500, 48, 100),
          new DerivedGpu("T4", "75", 40, 1.59, 1024, 1, 320, 1270, 32, 64));

  private static final int REGISTERS = 65536;
  private static final int MOST_BLOCKS = 32;
  private static final int WARP = 32;

  /** Warp instructions that a multiprocessor issues a clock at most. */
  static final int ISSUES = 4;

  /** Blocks of a kernel that are resident on a multiprocessor together. */
  int resident(int registers, int threads, int sharedBytes) {
    int warpsOfBlock = (threads + WARP - 1) / WARP;
    // Registers are given out to warps in pieces of 256.
    int ofWarp = (registers * WARP + 255) / 256 * 256;
    int byRegisters = REGISTERS / (ofWarp * warpsOfBlock);
    int byShared = sharedKilobytes * 1024 / (sharedBytes + 1024);
    int fitting = Math.min(Math.min(byRegisters, byShared), warps / warpsOfBlock);
    return Math.max(1, Math.min(MOST_BLOCKS, fitting));
  }

  /** The most shared memory of a block, in bytes; a Turing's block may have all. */
  int sharedBytes() {
    return (target.equals("75") ? sharedKilobytes : sharedKilobytes - 1) * 1024;
  }
}
