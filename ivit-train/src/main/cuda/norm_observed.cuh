/* I-LayerNorm for training: codes, and the extremes of each channel's normalised values. */
#pragma once

#include "layer_norm.cuh"
#include "reals.cuh"

namespace ivit {

/* What the backward pass needs of a row. */
struct alignas(16) NormRow {
  int32_t mean;
  int32_t factor;
  int32_t root;
  int32_t unused;
};

struct ObservedNormArguments {
  Global<const unsigned char> from; /* codes, [rows][from_stride] */
  Global<unsigned char> to;         /* codes, [rows][channels] */
  Global<NormRow> kept;             /* or null */
  Global<const int32_t> multiplier;
  Global<const int64_t> offset; /* rounding included */
  Global<int32_t> least;        /* of y, by channel; or null */
  Global<int32_t> largest;
  Divisor twice_channels;
  int64_t rows;
  int64_t from_stride;
  int64_t epsilon; /* added to the sum of squared deviations */
  int32_t channels;
  int32_t shift;
};

template <typename In>
IVIT_DEVICE NormRow norm_statistics(
    const ObservedNormArguments &a, Global<const In> row, int lane) {
  int64_t sum = 0;
  int64_t squares = 0;
#pragma unroll 1
  for (int c = lane; c < a.channels; c += WARP) {
    int32_t v = row[c];
    sum += v;
    squares += (uint32_t)(v * v);
  }
  uint32_t root = 0;
  RowStatistics s = statistics(
      a.channels, a.twice_channels, (int64_t)warp_sum((uint64_t)sum),
      (int64_t)warp_sum((uint64_t)squares) + a.epsilon, root);
  return NormRow{s.mean, s.factor, (int32_t)root, 0};
}

IVIT_DEVICE int32_t normalised(const NormRow &s, int32_t x) {
  return (int32_t)(((int64_t)(x - s.mean) * s.factor) >> 1);
}

enum { OBSERVED_NORM_WARPS = 8 };

/* Shared memory: least and largest value of each channel, where they are observed. */
template <typename In, typename Out>
IVIT_DEVICE void norm_observed(const ObservedNormArguments &a) {
  Shared<int32_t> least = as<int32_t>(shared_memory());
  Shared<int32_t> largest = least + a.channels;
  bool seen = present(a.least);
  if (seen) {
    for (int c = (int)threadIdx.x; c < a.channels; c += (int)blockDim.x) {
      least[c] = INT32_MAX;
      largest[c] = INT32_MIN;
    }
    block_barrier();
  }
  int lane = (int)threadIdx.x % WARP;
  int warp = (int)threadIdx.x / WARP;
#pragma unroll 1
  for (int64_t row = (int64_t)blockIdx.x * OBSERVED_NORM_WARPS + warp; row < a.rows;
       row += (int64_t)gridDim.x * OBSERVED_NORM_WARPS) {
    auto from = as<const In>(a.from) + row * a.from_stride;
    auto to = as<Out>(a.to) + row * a.channels;
    NormRow s = norm_statistics<In>(a, from, lane);
    if (lane == 0 && present(a.kept)) {
      a.kept[row] = s;
    }
#pragma unroll 1
    for (int c = lane; c < a.channels; c += WARP) {
      int32_t y = normalised(s, from[c]);
      if (seen) {
        atomic_min(least + c, y);
        atomic_max(largest + c, y);
      }
      int64_t v = ((int64_t)y * a.multiplier[c] + a.offset[c]) >> a.shift;
      to[c] = sizeof(Out) == 1 ? (Out)saturate8(saturate16(v)) : (Out)saturate16(v);
    }
  }
  if (seen) {
    block_barrier();
    for (int c = (int)threadIdx.x; c < a.channels; c += (int)blockDim.x) {
      if (least[c] <= largest[c]) {
        atomic_min(a.least + c, least[c]);
        atomic_max(a.largest + c, largest[c]);
      }
    }
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 4) norm_observed_16_8(IVIT_ARGUMENTS(ivit::ObservedNormArguments) a) {
  ivit::norm_observed<int16_t, int8_t>(a);
}

/* To a stream. */
IVIT_KERNEL(256, 4) norm_observed_16_16(IVIT_ARGUMENTS(ivit::ObservedNormArguments) a) {
  ivit::norm_observed<int16_t, int16_t>(a);
}
