/* Least and largest values that a kernel met, as bits that integers can compare. */
#pragma once

#include "reals.cuh"

namespace ivit {

/* Widens extremes, two ordered doubles, by those of every thread; called by whole warps. */
IVIT_DEVICE void extremes_of_warp(Global<uint64_t> extremes, double least, double largest) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    double low = shuffle_xor(least, lanes);
    double high = shuffle_xor(largest, lanes);
    least = low < least ? low : least;
    largest = high > largest ? high : largest;
  }
  if ((int)threadIdx.x % WARP == 0 && least <= largest) {
    atomic_min(extremes, ordered(least));
    atomic_max(extremes + 1, ordered(largest));
  }
}

/* The same of integers. */
IVIT_DEVICE void extremes_of_warp(Global<int32_t> extremes, int32_t least, int32_t largest) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    int32_t low = (int32_t)shuffle_xor((uint32_t)least, lanes);
    int32_t high = (int32_t)shuffle_xor((uint32_t)largest, lanes);
    least = low < least ? low : least;
    largest = high > largest ? high : largest;
  }
  if ((int)threadIdx.x % WARP == 0 && least <= largest) {
    atomic_min(extremes, least);
    atomic_max(extremes + 1, largest);
  }
}

}  // namespace ivit
