/* Means over tokens, and the extremes of their sums. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"
#include "walk.cuh"

namespace ivit {

struct ObservedPoolArguments {
  Global<const unsigned char> from; /* codes, [pictures][tokens][channels] */
  Global<unsigned char> to;         /* codes, or sums of them, [pictures][channels] */
  Global<uint64_t> extremes; /* ordered bits of the least and the largest sum; or null */
  Dyadic multiplier;
  Divisor of_channels;
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

/* Shared memory: EXTREMES_BYTES. */
template <typename In, typename Out>
IVIT_DEVICE void pool_observed(const ObservedPoolArguments &a) {
  auto codes = as<const In>(a.from);
  auto to = as<Out>(a.to);
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  each_column<4>(a.pictures, a.channels, a.of_channels, wide<4>(codes, to), [&](int c, auto n) {
    return [=, &a, &least, &largest](int64_t picture) {
      constexpr int N = decltype(n)::width;
      auto from = codes + (picture * a.tokens * a.channels + c);
      int32_t sums[N] = {};
#pragma unroll 4
      for (int t = a.leading; t < a.tokens; t++) {
        auto token = load<N>(from + (int64_t)t * a.channels);
#pragma unroll
        for (int k = 0; k < N; k++) {
          sums[k] += at(token, k);
        }
      }
      Some<Out, N> out;
#pragma unroll
      for (int k = 0; k < N; k++) {
        put(out, k, (Out)pooled(a, sums[k], Out()));
        least = sums[k] < least ? sums[k] : least;
        largest = sums[k] > largest ? sums[k] : largest;
      }
      store(to + (picture * a.channels + c), out);
    };
  });
  if (present(a.extremes)) {
    extremes_of_block(
        a.extremes, least <= largest ? (double)least : INFINITE,
        least <= largest ? (double)largest : -INFINITE);
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
