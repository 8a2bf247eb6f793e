/* Means over tokens, and the extremes of their sums. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"

namespace ivit {

struct ObservedPoolArguments {
  Global<const unsigned char> from; /* codes, [pictures][tokens][channels] */
  Global<unsigned char> to;         /* codes, or sums of them, [pictures][channels] */
  Global<uint64_t> extremes; /* ordered bits of the least and the largest sum; or null */
  Dyadic multiplier;
  int32_t pictures;
  int32_t tokens;
  int32_t leading; /* the first tokens, which take no part */
  int32_t channels;
};

IVIT_DEVICE int32_t pooled(const ObservedPoolArguments &, int32_t sum, int32_t) { return sum; }

IVIT_DEVICE int32_t pooled(const ObservedPoolArguments &a, int32_t sum, int16_t) {
  return saturate16(requantize_wide(sum, a.multiplier.multiplier, a.multiplier.shift));
}

IVIT_DEVICE int32_t pooled(const ObservedPoolArguments &a, int32_t sum, int8_t) {
  return saturate8(pooled(a, sum, int16_t()));
}

template <typename In, typename Out>
IVIT_DEVICE void pool_observed(const ObservedPoolArguments &a) {
  auto codes = as<const In>(a.from);
  auto to = as<Out>(a.to);
  int64_t count = (int64_t)a.pictures * a.channels;
  double least = INFINITE;
  double largest = -INFINITE;
  for (int64_t i = thread_number(); i < count; i += thread_count()) {
    auto from = codes + (i / a.channels * a.tokens * a.channels + i % a.channels);
    int32_t sum = 0;
    for (int t = a.leading; t < a.tokens; t++) {
      sum += from[(int64_t)t * a.channels];
    }
    to[i] = (Out)pooled(a, sum, Out());
    least = sum < least ? sum : least;
    largest = sum > largest ? sum : largest;
  }
  if (present(a.extremes)) {
    extremes_of_warp(a.extremes, least, largest);
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 4) pool_observed_8(IVIT_ARGUMENTS(ivit::ObservedPoolArguments) a) {
  ivit::pool_observed<int8_t, int8_t>(a);
}

/* Of the stream. */
IVIT_KERNEL(256, 4) pool_observed_16(IVIT_ARGUMENTS(ivit::ObservedPoolArguments) a) {
  ivit::pool_observed<int16_t, int16_t>(a);
}

/* An answer: the sums. */
IVIT_KERNEL(256, 4) pool_sums(IVIT_ARGUMENTS(ivit::ObservedPoolArguments) a) {
  ivit::pool_observed<int8_t, int32_t>(a);
}
