/* What the lanes of a warp do together, and copies beside the arithmetic, as PTX. */
#pragma once

namespace ivit {

IVIT_DEVICE uint32_t shared_address(const void *pointer) {
  return (uint32_t)__cvta_generic_to_shared(pointer);
}

/*
 * Four 8-row matrices of 16 bytes a row. `address(matrix, row)` points to a row's 16 bytes in
 * shared memory.
 */
template <typename Address>
IVIT_DEVICE void load_matrices(uint32_t (&out)[4], Address address) {
  int lane = (int)threadIdx.x & (WARP - 1);
  uint32_t from = shared_address(address(lane >> 3, lane & 7));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(from)
               : "memory");
}

#if __CUDA_ARCH__ >= 800

#define IVIT_MMA(types)                                                                     \
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32." types                               \
               ".s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                 \
               : "+r"(c.r[0]), "+r"(c.r[1]), "+r"(c.r[2]), "+r"(c.r[3])                     \
               : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]))

/* c += a * b, bytes signed; sums wrap modulo 2^32. */
IVIT_DEVICE void multiply(Accumulator &c, const Left &a, const Right &b) { IVIT_MMA("s8.s8"); }

/* The same with the left bytes unsigned. */
IVIT_DEVICE void multiply_unsigned(Accumulator &c, const Left &a, const Right &b) {
  IVIT_MMA("u8.s8");
}

/* 16 bytes from global to shared memory, or zeros; complete after copies_done and a barrier. */
IVIT_DEVICE void copy16(Shared<unsigned char> to, Global<const int8_t> from, bool valid) {
  int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(shared_address(to)), "l"(from), "r"(bytes)
               : "memory");
}

IVIT_DEVICE void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/* Waits until at most N groups of this thread are under way. */
template <int N>
IVIT_DEVICE void copies_done() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

#else

/* Turing multiplies 8 by 8 by 16 only, and copies through registers. */
#define IVIT_MMA8(types, c0, c1, a, b)                                                        \
  asm volatile("mma.sync.aligned.m8n8k16.row.col.s32." types ".s32 {%0,%1}, {%2}, {%3}, {%0,%1};" \
               : "+r"(c0), "+r"(c1)                                                           \
               : "r"(a), "r"(b))

#define IVIT_MMA(types)                                  \
  IVIT_MMA8(types, c.r[0], c.r[1], a.r[0], b.r[0]);      \
  IVIT_MMA8(types, c.r[0], c.r[1], a.r[2], b.r[1]);      \
  IVIT_MMA8(types, c.r[2], c.r[3], a.r[1], b.r[0]);      \
  IVIT_MMA8(types, c.r[2], c.r[3], a.r[3], b.r[1])

IVIT_DEVICE void multiply(Accumulator &c, const Left &a, const Right &b) { IVIT_MMA("s8.s8"); }

IVIT_DEVICE void multiply_unsigned(Accumulator &c, const Left &a, const Right &b) {
  IVIT_MMA("u8.s8");
}

IVIT_DEVICE void copy16(Shared<unsigned char> to, Global<const int8_t> from, bool valid) {
  *reinterpret_cast<uint4 *>(to) =
      valid ? *reinterpret_cast<const uint4 *>(from) : make_uint4(0, 0, 0, 0);
}

IVIT_DEVICE void copies_commit() {}

template <int N>
IVIT_DEVICE void copies_done() {}

#endif

/*
 * At the head of every kernel of the engine, before it touches memory that kernels write: lets the grid
 * behind it be started while this one runs, and waits until the one in front has ended and what it wrote
 * can be seen. No grid ends before the one in front, since all its threads wait here first; so all that
 * were launched before have ended, and what they read may be written over too. Where a launch does not ask
 * for it (programmatic dependent launch), both instructions do nothing.
 */
IVIT_DEVICE void await_previous_grid() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/* Products are complete when issued; the emulation computes them here. */
IVIT_DEVICE void products_done() {}

IVIT_DEVICE uint32_t shuffle_xor(uint32_t value, int lanes) {
  return __shfl_xor_sync(0xffffffffu, value, lanes);
}

/* Two values saturated to signed bytes, the first lowest, below 16 bits of `upper`. */
IVIT_DEVICE uint32_t pack_codes8(int32_t first, int32_t second, uint32_t upper) {
  uint32_t out;
  asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, %3;"
      : "=r"(out)
      : "r"(second), "r"(first), "r"(upper));
  return out;
}

/* Two values saturated to 16 bits, the first lowest. */
IVIT_DEVICE uint32_t pack_codes16(int32_t first, int32_t second) {
  uint32_t out;
  asm("cvt.pack.sat.s16.s32 %0, %1, %2;" : "=r"(out) : "r"(second), "r"(first));
  return out;
}

}  // namespace ivit
