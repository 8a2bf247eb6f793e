/* What training needs of a GPU beside the engine's integers: floating point, and atomics. */
#pragma once

#include "platform.cuh"

#ifdef IVIT_EMULATION
#include "emulation_reals.h"
#else
#include "device_reals.cuh"
#endif

namespace ivit {

IVIT_DEVICE float shuffle_xor(float value, int lanes) {
  return real_of(shuffle_xor(bits_of(value), lanes));
}

IVIT_DEVICE int32_t shuffle_xor(int32_t value, int lanes) {
  return (int32_t)shuffle_xor((uint32_t)value, lanes);
}

IVIT_DEVICE uint64_t shuffle_xor(uint64_t value, int lanes) {
  uint32_t low = shuffle_xor((uint32_t)value, lanes);
  uint32_t high = shuffle_xor((uint32_t)(value >> 32), lanes);
  return (uint64_t)high << 32 | low;
}

IVIT_DEVICE double shuffle_xor(double value, int lanes) {
  return real_of(shuffle_xor(bits_of(value), lanes));
}

/* The sum over a warp, the same in every lane. */
template <typename Real>
IVIT_DEVICE Real sum_of_warp(Real v) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    v += shuffle_xor(v, lanes);
  }
  return v;
}

/* Bits of a double that are ordered, as unsigned integers, as doubles are. */
IVIT_DEVICE uint64_t ordered(double v) {
  uint64_t bits = bits_of(v);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/*
 * Widens extremes that threads share. Most values change nothing: both are read, under way together,
 * before either is written.
 */
template <typename T>
IVIT_DEVICE void widen(Global<T> least, Global<T> largest, T low, T high) {
  T lowest = current(least);
  T highest = current(largest);
  if (low < lowest) {
    atomic_min(least, low);
  }
  if (high > highest) {
    atomic_max(largest, high);
  }
}

/* A thread's number in a grid of one dimension, and how many there are. */
IVIT_DEVICE int64_t thread_number() {
  return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}

IVIT_DEVICE int64_t thread_count() { return (int64_t)gridDim.x * blockDim.x; }

}  // namespace ivit
