/*
 * Hopper's products of four warps, wgmma, which read both operands from shared memory. Only machine
 * code for sm_90a has them; elsewhere a tile of warpgroups multiplies as others do.
 */
#pragma once

#include "platform.cuh"

namespace ivit {

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

constexpr bool HAS_WARPGROUPS = true;

/*
 * An operand of eight-row groups of 64 bytes a row, one after the other, in the 64-byte swizzle. Fields
 * in units of 16 bytes: address, an offset that swizzled operands along K do not use, 512 bytes from
 * group to group; then the swizzle's number.
 */
IVIT_DEVICE uint64_t operand_of(Shared<unsigned char> from) {
  uint64_t address = shared_address(from) >> 4 & 0x3fffu;
  return address | (uint64_t)1 << 16 | (uint64_t)(512 >> 4) << 32 | (uint64_t)2 << 62;
}

#define IVIT_EIGHT(j)                                                                       \
  "+r"(c[j].r[0]), "+r"(c[j].r[1]), "+r"(c[j].r[2]), "+r"(c[j].r[3]), "+r"(c[j + 1].r[0]), \
      "+r"(c[j + 1].r[1]), "+r"(c[j + 1].r[2]), "+r"(c[j + 1].r[3])

#define IVIT_ACCUMULATORS                                                                \
  IVIT_EIGHT(0), IVIT_EIGHT(2), IVIT_EIGHT(4), IVIT_EIGHT(6), IVIT_EIGHT(8), IVIT_EIGHT(10), \
      IVIT_EIGHT(12), IVIT_EIGHT(14)

/* c += rows * columns over 32 bytes of K: 64 rows and 128 columns. Not complete until waited for. */
IVIT_DEVICE void warpgroup_multiply(
    Accumulator (&c)[16], Shared<unsigned char> rows, Shared<unsigned char> columns) {
  asm volatile("wgmma.fence.sync.aligned;" : IVIT_ACCUMULATORS::"memory");
  asm volatile(
      "{ .reg .pred p; setp.ne.b32 p, 1, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {"
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,"
      "%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
      "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,"
      "%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, %64, %65, p; }"
      : IVIT_ACCUMULATORS
      : "l"(operand_of(rows)), "l"(operand_of(columns))
      : "memory");
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* All products of this warpgroup are complete. */
IVIT_DEVICE void warpgroup_done(Accumulator (&c)[16]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;" : IVIT_ACCUMULATORS::"memory");
}

/* What this thread copied to shared memory is seen by products after the next barrier. */
IVIT_DEVICE void copies_to_warpgroups() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

#else

constexpr bool HAS_WARPGROUPS = false;

/* Never called: HAS_WARPGROUPS says so where templates are instantiated. */
IVIT_DEVICE void warpgroup_multiply(
    Accumulator (&)[16], Shared<unsigned char>, Shared<unsigned char>) {}

IVIT_DEVICE void warpgroup_done(Accumulator (&)[16]) {}

IVIT_DEVICE void copies_to_warpgroups() {}

#endif

}  // namespace ivit
