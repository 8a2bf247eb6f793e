/* Words of CUDA that the emulation of reals.cuh spells otherwise. */
#pragma once

namespace ivit {

IVIT_DEVICE uint32_t bits_of(float v) { return __float_as_uint(v); }

IVIT_DEVICE float real_of(uint32_t bits) { return __uint_as_float(bits); }

IVIT_DEVICE uint64_t bits_of(double v) { return (uint64_t)__double_as_longlong(v); }

IVIT_DEVICE double real_of(uint64_t bits) { return __longlong_as_double((long long)bits); }

constexpr float INFINITE = __builtin_huge_valf();

/* The nearest integer, ties to even. */
IVIT_DEVICE float rint_of(float v) { return rintf(v); }

IVIT_DEVICE double exp_of(double v) { return exp(v); }

IVIT_DEVICE float exp_of(float v) { return expf(v); }

/* The complementary error function. */
IVIT_DEVICE float complement_of(float v) { return erfcf(v); }

IVIT_DEVICE double log_of(double v) { return log(v); }

IVIT_DEVICE float root_of(float v) { return __fsqrt_rn(v); }

IVIT_DEVICE double root_of(double v) { return __dsqrt_rn(v); }

/* a * b + c, rounded once. */
IVIT_DEVICE float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }

template <typename T>
IVIT_DEVICE uint64_t address_of(T *pointer) {
  return (uint64_t)pointer;
}

/* What atomic operations of other threads may be changing. */
IVIT_DEVICE int32_t current(const int32_t *from) {
  int32_t v;
  asm volatile("ld.relaxed.gpu.global.s32 %0, [%1];"
               : "=r"(v)
               : "l"(__cvta_generic_to_global(from)));
  return v;
}

IVIT_DEVICE uint64_t current(const uint64_t *from) {
  uint64_t v;
  asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];"
               : "=l"(v)
               : "l"(__cvta_generic_to_global(from)));
  return v;
}

IVIT_DEVICE void atomic_min(int32_t *to, int32_t v) { atomicMin(to, v); }

IVIT_DEVICE void atomic_max(int32_t *to, int32_t v) { atomicMax(to, v); }

IVIT_DEVICE void atomic_min(uint64_t *to, uint64_t v) {
  atomicMin(reinterpret_cast<unsigned long long *>(to), (unsigned long long)v);
}

IVIT_DEVICE void atomic_max(uint64_t *to, uint64_t v) {
  atomicMax(reinterpret_cast<unsigned long long *>(to), (unsigned long long)v);
}

}  // namespace ivit
