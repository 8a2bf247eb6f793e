/* Leading tokens and patches, with positions added. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"

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
  int64_t count;
  int32_t size;
  int32_t leading_size;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) embed_observed(IVIT_ARGUMENTS(ivit::EmbedArguments) a) {
  double least = ivit::INFINITE;
  double largest = -ivit::INFINITE;
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    int64_t picture = i / a.size;
    int place = (int)(i % a.size);
    int32_t z = place < a.leading_size
        ? a.leading[place]
        : a.patches[picture * (a.size - a.leading_size) + (place - a.leading_size)];
    int32_t position = a.position[place];
    int64_t sum =
        ivit::requantize_wide(z, a.patch_multiplier.multiplier, a.patch_multiplier.shift)
        + ivit::requantize_wide(
            position, a.position_multiplier.multiplier, a.position_multiplier.shift);
    a.out[i] = (int16_t)ivit::saturate16(sum);
    double value = z * a.patch_scale + position * a.position_scale;
    least = value < least ? value : least;
    largest = value > largest ? value : largest;
  }
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_warp(a.extremes, least, largest);
  }
}
