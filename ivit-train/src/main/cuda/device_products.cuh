/* Products of reals on tensor cores, and the operands' rounding, as PTX. */
#pragma once

namespace ivit {

#if __CUDA_ARCH__ >= 800

/* Turing's tensor cores know neither type: its kernels multiply in float32. */
#define IVIT_TENSOR_REALS

/* Rounded to 10 bits of mantissa, ties away from zero. */
IVIT_DEVICE uint32_t tf32_of(float v) {
  uint32_t out;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(out) : "f"(v));
  return out;
}

/* Rounded to 7 bits of mantissa, ties to even; the first in the lower half. */
IVIT_DEVICE uint32_t bf16_of(float first, float second) {
  uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(second), "f"(first));
  return out;
}

#define IVIT_MMA_REALS(shape, types)                                                        \
  asm volatile("mma.sync.aligned." shape ".row.col.f32." types                              \
               ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                 \
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                             \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

/* c += a * b over 8 along K; places of the values as of the bytes of Left, Right, Accumulator. */
IVIT_DEVICE void multiply_tf32(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  IVIT_MMA_REALS("m16n8k8", "tf32.tf32");
}

/* The same over 16 along K, two in a word. */
IVIT_DEVICE void multiply_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  IVIT_MMA_REALS("m16n8k16", "bf16.bf16");
}

#endif

}  // namespace ivit
