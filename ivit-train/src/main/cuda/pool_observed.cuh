/* Means over tokens, and the extremes of their sums. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"

namespace ivit {

struct ObservedPoolArguments {
  Global<const int8_t> from; /* [pictures][tokens][channels] */
  Global<int8_t> to;         /* [pictures][channels] */
  Global<uint64_t> extremes; /* ordered bits of the least and the largest sum; or null */
  Dyadic multiplier;
  int32_t pictures;
  int32_t tokens;
  int32_t channels;
  int32_t unused;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) pool_observed(IVIT_ARGUMENTS(ivit::ObservedPoolArguments) a) {
  int64_t count = (int64_t)a.pictures * a.channels;
  double least = ivit::INFINITE;
  double largest = -ivit::INFINITE;
  for (int64_t i = ivit::thread_number(); i < count; i += ivit::thread_count()) {
    int64_t picture = i / a.channels;
    int channel = (int)(i % a.channels);
    int32_t sum = 0;
    for (int t = 0; t < a.tokens; t++) {
      sum += a.from[(picture * a.tokens + t) * a.channels + channel];
    }
    a.to[i] = (int8_t)ivit::saturate8(ivit::saturate16(
        ivit::requantize_wide(sum, a.multiplier.multiplier, a.multiplier.shift)));
    least = sum < least ? sum : least;
    largest = sum > largest ? sum : largest;
  }
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_warp(a.extremes, least, largest);
  }
}
