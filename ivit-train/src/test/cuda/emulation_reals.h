/* What device_reals.cuh says in CUDA. Threads run one at a time, so every operation is atomic. */
#ifndef IVIT_EMULATION_REALS_H
#define IVIT_EMULATION_REALS_H

#include <math.h>
#include <string.h>

namespace ivit {

template <typename To, typename From>
To same_bits(From v) {
  static_assert(sizeof(To) == sizeof(From), "of one size");
  To out;
  memcpy(&out, &v, sizeof out);
  return out;
}

inline uint32_t bits_of(float v) { return same_bits<uint32_t>(v); }

inline float real_of(uint32_t bits) { return same_bits<float>(bits); }

inline uint64_t bits_of(double v) { return same_bits<uint64_t>(v); }

inline double real_of(uint64_t bits) { return same_bits<double>(bits); }

constexpr float INFINITE = __builtin_huge_valf();

inline float rint_of(float v) { return rintf(v); }

inline double exp_of(double v) { return exp(v); }

inline float exp_of(float v) { return expf(v); }

inline float complement_of(float v) { return erfcf(v); }

inline double log_of(double v) { return log(v); }

inline float root_of(float v) { return sqrtf(v); }

inline double root_of(double v) { return sqrt(v); }

inline float fused(float a, float b, float c) { return fmaf(a, b, c); }

template <typename T, typename V, void (*check)(const void *, size_t, size_t)>
void atomic_min(Checked<T, check> to, V v) {
  T &old = *to;
  old = (T)v < old ? (T)v : old;
}

template <typename T, typename V, void (*check)(const void *, size_t, size_t)>
void atomic_max(Checked<T, check> to, V v) {
  T &old = *to;
  old = (T)v > old ? (T)v : old;
}

template <typename T, void (*check)(const void *, size_t, size_t)>
T current(Checked<T, check> from) {
  return *from;
}

template <typename T, void (*check)(const void *, size_t, size_t)>
uint64_t address_of(Checked<T, check> pointer) {
  return (uint64_t)(uintptr_t)pointer.p;
}

}  // namespace ivit

#endif
