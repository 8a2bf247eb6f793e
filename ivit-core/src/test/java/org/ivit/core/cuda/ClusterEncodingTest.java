package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What only a Hopper GPU reads, field by field, as CUTLASS has it ({@code mma_sm90_desc.hpp},
 * {@code mma_sm90_gmma.hpp}, {@code copy_sm90_tma.hpp}) and PTX describes it.
 */
class ClusterEncodingTest {
  private static final Path PTX =
      Path.of(System.getProperty("ivit.root", ".."), "ivit-core/src/main/cuda/device_cluster.cuh");

  private static long bits(long operand, int from, int to) {
    return operand >>> from & ((1L << (to - from)) - 1);
  }

  /** Bits 0 to 13 the address, 16 to 29 and 32 to 45 offsets, all in units of 16 bytes. */
  @Test
  void operandsHaveTheFieldsOfTheirSwizzle() {
    Emulator emulator = Emulator.load();
    for (int address : new int[] {0, 1024, 16384 + 32, 3 * 49152 + 8192 + 96, 227 * 1024 - 16}) {
      long operand = emulator.emulator_operand_of_128(address);
      assertThat(bits(operand, 0, 14)).isEqualTo(address / 16);
      assertThat(bits(operand, 16, 30)).as("leading offset, not used").isEqualTo(1);
      assertThat(bits(operand, 32, 46)).as("from eight rows to the next").isEqualTo(1024 / 16);
      assertThat(bits(operand, 49, 52)).as("base offset of tiles at 1024 bytes").isZero();
      assertThat(bits(operand, 62, 64)).as("swizzle of 128 bytes").isEqualTo(1);
      assertThat(operand & ~0xc00e3fff3fff3fffL).as("bits of no field").isZero();
    }
    assertThat(emulator.emulator_operand_of_128(1024)).isEqualTo(0x4000004000010040L);
  }

  /** 64 by 256 by 32 takes 128 registers of sums, two operands and a predicate for adding. */
  @Test
  void theInstructionTakesItsRegisters() throws IOException {
    String source = Files.readString(PTX);
    String multiply = source.substring(source.indexOf("void group_multiply"));
    multiply = multiply.substring(0, multiply.indexOf("\n}\n"));
    assertThat(multiply).contains("wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {");
    Matcher operands = Pattern.compile("%(\\d+)").matcher(multiply);
    List<Integer> found = operands.results().map(m -> Integer.valueOf(m.group(1))).toList();
    // The predicate's is set first.
    assertThat(found.get(0)).isEqualTo(130);
    assertThat(found.subList(1, found.size()))
        .isEqualTo(IntStream.rangeClosed(0, 129).boxed().toList());
    Matcher sums = Pattern.compile("IVIT_EIGHT_OF\\((\\d), (\\d+)\\)").matcher(source);
    assertThat(sums.results().map(m -> m.group(1) + " " + m.group(2)).toList())
        .isEqualTo(IntStream.range(0, 16).mapToObj(i -> i / 8 + " " + i % 8 * 2).toList());
  }

  /** A copy to both blocks names them by a mask of two bits, and counts bytes at the barrier. */
  @Test
  void copiesNameBarrierAndBlocks() throws IOException {
    String source = Files.readString(PTX).replaceAll("\"\\s*\"", "");
    assertThat(source)
        .contains(
            "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
                + " [%0], [%1, {%3, %4}], [%2];",
            "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
                + ".multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;",
            "(uint16_t)((1 << CLUSTER_BLOCKS) - 1)");
  }
}
