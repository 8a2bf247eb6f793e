/* Words of CUDA that the emulation spells otherwise. */
#pragma once

#define IVIT_DEVICE __device__ __forceinline__
#define IVIT_KERNEL(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)
#define IVIT_ARGUMENTS(type) const __grid_constant__ type

namespace ivit {

/* Pointers to device memory and to a block's shared memory; the emulation checks their bounds. */
template <typename T>
using Global = T *;

template <typename T>
using Shared = T *;

template <typename To, typename From>
IVIT_DEVICE To *as(From *pointer) {
  return reinterpret_cast<To *>(pointer);
}

template <typename T>
IVIT_DEVICE bool present(T *pointer) {
  return pointer != nullptr;
}

/* The block's dynamic shared memory. */
IVIT_DEVICE unsigned char *shared_memory() {
  extern __shared__ __align__(1024) unsigned char ivit_shared[];
  return ivit_shared;
}

IVIT_DEVICE void block_barrier() { __syncthreads(); }

IVIT_DEVICE void warp_barrier() { __syncwarp(); }

/* Upper half of a 64-bit product. */
IVIT_DEVICE int32_t multiply_high(int32_t a, int32_t b) { return __mulhi(a, b); }

IVIT_DEVICE uint32_t multiply_high(uint32_t a, uint32_t b) { return __umulhi(a, b); }

/* Both signed 16-bit halves of a, times the lower two signed bytes of b, added. */
IVIT_DEVICE int32_t multiply_pair(int32_t a, int32_t b) { return __dp2a_lo(a, b, 0); }

IVIT_DEVICE int leading_zeros(uint64_t v) { return __clzll((long long)v); }

IVIT_DEVICE int leading_zeros(uint32_t v) { return __clz((int)v); }

/* Bytes of b:a by the selectors of PTX prmt. */
IVIT_DEVICE uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  return __byte_perm(a, b, selector);
}

}  // namespace ivit
