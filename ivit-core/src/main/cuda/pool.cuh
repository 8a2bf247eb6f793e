/* The mean over a picture's tokens, in one rounding. */
#pragma once

#include "requantize.cuh"

namespace ivit {

struct PoolArguments {
  Global<const int8_t> codes; /* [pictures][tokens][input_stride] */
  Global<int8_t> means;       /* [pictures][output_stride] */
  Dyadic multiplier;
  int32_t tokens;
  int32_t channels;
  int32_t input_stride;
  int32_t output_stride;
};

}  // namespace ivit

/* A thread a channel; blocks in y are pictures. */
IVIT_KERNEL(128, 8) pool_tokens(IVIT_ARGUMENTS(ivit::PoolArguments) a) {
  int channel = (int)(blockIdx.x * 128 + threadIdx.x);
  if (channel >= a.channels) {
    return;
  }
  auto from = a.codes + ((int64_t)blockIdx.y * a.tokens * a.input_stride + channel);
  int32_t sum = 0;
  for (int t = 0; t < a.tokens; t++) {
    sum += from[(int64_t)t * a.input_stride];
  }
  int32_t mean = ivit::saturate16(
      ivit::requantize_wide(sum, a.multiplier.multiplier, a.multiplier.shift));
  a.means[(int64_t)blockIdx.y * a.output_stride + channel] = (int8_t)ivit::saturate8(mean);
}
