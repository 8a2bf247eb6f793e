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

}  // namespace ivit
