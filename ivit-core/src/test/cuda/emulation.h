/*
 * CUDA's words for the processor: the kernels' sources are compiled with this in place of
 * device.cuh. Every access to memory is checked for bounds and alignment.
 */
#ifndef IVIT_EMULATION_H
#define IVIT_EMULATION_H

#include <stddef.h>
#include <stdint.h>

#include <type_traits>

#define IVIT_DEVICE inline
#define IVIT_KERNEL(threads, blocks) void
#define IVIT_ARGUMENTS(type) const type

struct Index3 {
  unsigned x, y, z;
};

/* Of the thread that runs. */
extern Index3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

/* Throw a message where the bytes do not lie in one allocation, or in the block's shared memory. */
void check_global(const void *p, size_t bytes, size_t alignment);
void check_shared(const void *p, size_t bytes, size_t alignment);

unsigned char *shared_memory();

/* Whether the thread that runs has yet to wait for the grid in front, until when memory is not its to touch. */
extern bool must_wait;

void await_previous_grid();

void block_barrier();
void warp_barrier();
void group_barrier(); /* of a warpgroup */
uint32_t shuffle_xor(uint32_t value, int lanes);

/* Queued until the warp's next barrier. */
void multiply(int32_t *c, const uint32_t *a, const uint32_t *b, bool left_unsigned);

/* Of reals, with sums in float32: 8 of tf32 along K, or 16 of bf16. */
void multiply_tf32(float *c, const uint32_t *a, const uint32_t *b);
void multiply_bf16(float *c, const uint32_t *a, const uint32_t *b);

/* Carried out when the group is waited for; until then the target holds rubbish. */
void copy16(unsigned char *to, const int8_t *from, bool valid);
void copies_commit();
void copies_done(int under_way);

}  // namespace emulation

namespace ivit {

template <typename T, void (*check)(const void *, size_t, size_t)>
struct Checked {
  T *p;

  T &operator[](int64_t i) const {
    check(p + i, sizeof(T), alignof(T));
    return p[i];
  }

  T &operator*() const { return (*this)[0]; }

  Checked operator+(int64_t i) const { return Checked{p + i}; }

  operator Checked<const T, check>() const { return Checked<const T, check>{p}; }
};

template <typename T>
using Global = Checked<T, emulation::check_global>;

template <typename T>
using Shared = Checked<T, emulation::check_shared>;

template <typename To, typename From, void (*check)(const void *, size_t, size_t)>
Checked<To, check> as(Checked<From, check> pointer) {
  static_assert(std::is_const_v<To> || !std::is_const_v<From>, "const is kept");
  return Checked<To, check>{reinterpret_cast<To *>(pointer.p)};
}

template <typename T, void (*check)(const void *, size_t, size_t)>
bool present(Checked<T, check> pointer) {
  return pointer.p != nullptr;
}

inline Shared<unsigned char> shared_memory() {
  return Shared<unsigned char>{emulation::shared_memory()};
}

inline void block_barrier() { emulation::block_barrier(); }

inline void warp_barrier() { emulation::warp_barrier(); }

inline int32_t multiply_high(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b) >> 32);
}

inline uint32_t multiply_high(uint32_t a, uint32_t b) {
  return (uint32_t)(((uint64_t)a * b) >> 32);
}

inline int32_t multiply_pair(int32_t a, int32_t b) {
  return (int16_t)a * (int8_t)b + (a >> 16) * (int8_t)(b >> 8);
}

inline int leading_zeros(uint64_t v) { return v == 0 ? 64 : __builtin_clzll(v); }

inline int leading_zeros(uint32_t v) { return v == 0 ? 32 : __builtin_clz(v); }

/* PTX prmt without its sign mode. */
inline uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t bytes = (uint64_t)b << 32 | a;
  uint32_t out = 0;
  for (int i = 0; i < 4; i++) {
    out |= (uint32_t)(bytes >> (8 * (selector >> (4 * i) & 7u)) & 255u) << (8 * i);
  }
  return out;
}

}  // namespace ivit

#endif
