/* Least and largest values that a kernel met, as bits that integers can compare. */
#pragma once

#include "reals.cuh"

namespace ivit {

/* Shared memory of extremes_of_block: two values a warp. */
enum { EXTREMES_BYTES = 128 };

/* Those of a warp, the same in every lane. */
template <typename T>
IVIT_DEVICE void reduce_extremes(T &least, T &largest) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    T low = shuffle_xor(least, lanes);
    T high = shuffle_xor(largest, lanes);
    least = low < least ? low : least;
    largest = high > largest ? high : largest;
  }
}

/* Widens extremes by those of every thread, of which some may have met nothing; called by whole blocks. */
template <typename T>
IVIT_DEVICE void widen_by_block(Global<T> extremes, T least, T largest) {
  Shared<T> warps = as<T>(shared_memory());
  int warp = (int)threadIdx.x / WARP;
  reduce_extremes(least, largest);
  block_barrier();
  if ((int)threadIdx.x % WARP == 0) {
    warps[2 * warp] = least;
    warps[2 * warp + 1] = largest;
  }
  block_barrier();
  if (threadIdx.x == 0) {
    for (int i = 1; i < (int)blockDim.x / WARP; i++) {
      least = warps[2 * i] < least ? warps[2 * i] : least;
      largest = warps[2 * i + 1] > largest ? warps[2 * i + 1] : largest;
    }
    if (least <= largest) {
      widen(extremes, extremes + 1, least, largest);
    }
  }
}

/* Widens extremes, two ordered doubles, by those of every thread; called by whole warps. */
IVIT_DEVICE void extremes_of_warp(Global<uint64_t> extremes, double least, double largest) {
  reduce_extremes(least, largest);
  if ((int)threadIdx.x % WARP == 0 && least <= largest) {
    widen(extremes, extremes + 1, ordered(least), ordered(largest));
  }
}

/* Of integers. */
IVIT_DEVICE void extremes_of_block(Global<int32_t> extremes, int32_t least, int32_t largest) {
  widen_by_block(extremes, least, largest);
}

/* Of doubles, as ordered bits. */
IVIT_DEVICE void extremes_of_block(Global<uint64_t> extremes, double least, double largest) {
  bool met = least <= largest;
  widen_by_block(
      extremes, met ? ordered(least) : UINT64_MAX, met ? ordered(largest) : (uint64_t)0);
}

}  // namespace ivit
