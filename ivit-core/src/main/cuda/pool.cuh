/* Sums over a picture's tokens: as they are, or as means in one rounding. */
#pragma once

#include "requantize.cuh"

namespace ivit {

struct PoolArguments {
  Global<const int8_t> codes;    /* 8-bit input, from the first token that is summed on; or null */
  Global<const int16_t> stream;  /* 16-bit input; or null */
  Global<int8_t> codes_out;      /* 8-bit means, [pictures][output_stride]; or null */
  Global<int16_t> stream_out;    /* 16-bit means, which may take the input's place; or null */
  Global<int32_t> sums;          /* [pictures][output_stride]; or null */
  Dyadic multiplier;             /* of means */
  int64_t picture_stride;        /* elements from one picture's tokens to the next one's */
  int32_t tokens;                /* that are summed */
  int32_t channels;
  int32_t input_stride;
  int32_t output_stride;
};

/* A thread a channel; blocks in y are pictures. */
IVIT_DEVICE int pool_channel() { return (int)(blockIdx.x * 128 + threadIdx.x); }

/* Codes have at most 16 bits and pictures fewer than 2^16 tokens, so sums have 32. */
template <typename In>
IVIT_DEVICE int32_t token_sum(const PoolArguments &a, Global<const In> codes, int channel) {
  auto from = codes + ((int64_t)blockIdx.y * a.picture_stride + channel);
  int32_t sum = 0;
  for (int t = 0; t < a.tokens; t++) {
    sum += from[(int64_t)t * a.input_stride];
  }
  return sum;
}

/* Clamped to 16 bits. */
IVIT_DEVICE int32_t token_mean(const PoolArguments &a, int32_t sum) {
  return saturate16(requantize_wide(sum, a.multiplier.multiplier, a.multiplier.shift));
}

IVIT_DEVICE int64_t pool_place(const PoolArguments &a, int channel) {
  return (int64_t)blockIdx.y * a.output_stride + channel;
}

}  // namespace ivit

/* Means of codes. */
IVIT_KERNEL(128, 8) pool_tokens(IVIT_ARGUMENTS(ivit::PoolArguments) a) {
  ivit::await_previous_grid();
  int channel = ivit::pool_channel();
  if (channel < a.channels) {
    int32_t mean = ivit::token_mean(a, ivit::token_sum(a, a.codes, channel));
    a.codes_out[ivit::pool_place(a, channel)] = (int8_t)ivit::saturate8(mean);
  }
}

/* Means of a stream. */
IVIT_KERNEL(128, 8) pool_stream(IVIT_ARGUMENTS(ivit::PoolArguments) a) {
  ivit::await_previous_grid();
  int channel = ivit::pool_channel();
  if (channel < a.channels) {
    int32_t mean = ivit::token_mean(a, ivit::token_sum(a, a.stream, channel));
    a.stream_out[ivit::pool_place(a, channel)] = (int16_t)mean;
  }
}

/* Sums of codes. */
IVIT_KERNEL(128, 8) sum_tokens(IVIT_ARGUMENTS(ivit::PoolArguments) a) {
  ivit::await_previous_grid();
  int channel = ivit::pool_channel();
  if (channel < a.channels) {
    a.sums[ivit::pool_place(a, channel)] = ivit::token_sum(a, a.codes, channel);
  }
}

/* Sums of a stream; of one token these are its codes. */
IVIT_KERNEL(128, 8) sum_stream(IVIT_ARGUMENTS(ivit::PoolArguments) a) {
  ivit::await_previous_grid();
  int channel = ivit::pool_channel();
  if (channel < a.channels) {
    a.sums[ivit::pool_place(a, channel)] = ivit::token_sum(a, a.stream, channel);
  }
}
