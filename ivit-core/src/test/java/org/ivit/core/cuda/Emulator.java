package org.ivit.core.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.Buffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The kernels' sources compiled for the processor, in {@code src/test/cuda}. What returns a string
 * returns null after success.
 */
public interface Emulator extends Library {
  /** Loads the library that the build made; the test is skipped where it made none. */
  static Emulator load() {
    Path library = Path.of(System.getProperty("ivit.cuda.emulator", "none"));
    assumeTrue(Files.exists(library), "skipped: no C++ compiler, so no emulator of CUDA");
    return Native.load(library.toAbsolutePath().toString(), Emulator.class);
  }

  Pointer emulator_allocate(long bytes);

  String emulator_free(Pointer address);

  String emulator_write(Pointer to, Buffer from, long bytes);

  String emulator_read(Buffer to, Pointer from, long bytes);

  String emulator_launch(
      String name,
      int x,
      int y,
      int z,
      int block,
      int sharedBytes,
      byte[] arguments,
      int argumentBytes,
      int beside);

  /** Encodes a matrix for copies of boxes, to 128 bytes. */
  String emulator_map(
      byte[] map, Pointer address, long width, long rows, long stride, int boxWidth, int boxRows);

  /** Bits of an operand of wgmma at an address of shared memory. */
  long emulator_operand_of_128(int address);

  int emulator_kernels(Pointer[] names, int most);

  /** Runs a kernel with a fault and returns what was noticed. */
  String emulator_fault(String name);

  int emulator_divide_most(int d);

  int emulator_square_root(long v);

  int emulator_divide(int n, int multiplier, int shift);
}
