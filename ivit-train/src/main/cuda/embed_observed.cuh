/* Leading tokens and patches, with positions added. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"
#include "walk.cuh"

namespace ivit {

struct EmbedArguments {
  Global<const int16_t> patches;  /* [pictures][size - leading_size] */
  Global<const int32_t> leading;  /* [leading_size] */
  Global<const int16_t> position; /* [size] */
  Global<int16_t> out;            /* [pictures][size] */
  Global<uint64_t> extremes;      /* ordered bits; or null */
  Dyadic patch_multiplier;
  Dyadic position_multiplier;
  double patch_scale;
  double position_scale;
  int64_t pictures;
  Divisor of_size;
  int32_t size;
  int32_t leading_size;
};

}  // namespace ivit

/* Shared memory: EXTREMES_BYTES. */
IVIT_KERNEL(256, 4) embed_observed(IVIT_ARGUMENTS(ivit::EmbedArguments) a) {
  double least = ivit::INFINITE;
  double largest = -ivit::INFINITE;
  bool wide = ivit::wide<4>(a.patches, a.out) && a.leading_size % 4 == 0;
  ivit::each_column<4>(a.pictures, a.size, a.of_size, wide, [&](int place, auto n) {
    constexpr int N = decltype(n)::width;
    bool leads = place < a.leading_size;
    int32_t leading[N];
    int64_t codes[N];
    double values[N];
#pragma unroll
    for (int k = 0; k < N; k++) {
      int32_t position = a.position[place + k];
      leading[k] = leads ? a.leading[place + k] : 0;
      codes[k] = ivit::requantize_wide(
          position, a.position_multiplier.multiplier, a.position_multiplier.shift);
      values[k] = position * a.position_scale;
    }
    return [=, &a, &least, &largest](int64_t picture) {
      ivit::Some<int16_t, N> patches = {};
      if (!leads) {
        patches = ivit::load<N>(
            a.patches + (picture * (a.size - a.leading_size) + (place - a.leading_size)));
      }
      ivit::Some<int16_t, N> out;
#pragma unroll
      for (int k = 0; k < N; k++) {
        int32_t z = leads ? leading[k] : at(patches, k);
        int64_t code =
            ivit::requantize_wide(z, a.patch_multiplier.multiplier, a.patch_multiplier.shift);
        put(out, k, (int16_t)ivit::saturate16(code + codes[k]));
        double value = z * a.patch_scale + values[k];
        least = value < least ? value : least;
        largest = value > largest ? value : largest;
      }
      ivit::store(a.out + (picture * a.size + place), out);
    };
  });
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_block(a.extremes, least, largest);
  }
}
