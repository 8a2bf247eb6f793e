/* I-LayerNorm for training: codes, and the extremes of each channel's normalised values. */
#pragma once

#include "layer_norm.cuh"
#include "walk.cuh"

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
    const ObservedNormArguments &a, Global<const In> row) {
  int64_t sum = 0;
  int64_t squares = 0;
  each_of_row<8>(a.channels, wide<8>(row), [&](int c, auto n) {
    auto x = load<decltype(n)::width>(row + c);
#pragma unroll
    for (int k = 0; k < decltype(n)::width; k++) {
      int32_t v = at(x, k);
      sum += v;
      squares += (uint32_t)(v * v);
    }
  });
  uint32_t root = 0;
  RowStatistics s = statistics(
      a.channels, a.twice_channels, (int64_t)warp_sum((uint64_t)sum),
      (int64_t)warp_sum((uint64_t)squares) + a.epsilon, root);
  return NormRow{s.mean, s.factor, (int32_t)root, 0};
}

IVIT_DEVICE int32_t normalised(const NormRow &s, int32_t x) {
  return (int32_t)(((int64_t)(x - s.mean) * s.factor) >> 1);
}

enum { OBSERVED_NORM_ROWS = 16 /* at once of a block */ };

/*
 * Codes of a block's rows from their statistics: a thread has some channels of several rows, so that
 * it fetches their constants once, and shows the extremes of a channel once.
 */
template <int N, typename In, typename Out>
IVIT_DEVICE void norm_rows(
    const ObservedNormArguments &a, int64_t first, Shared<NormRow> statistics,
    Shared<int32_t> least, Shared<int32_t> largest) {
  auto from = as<const In>(a.from);
  auto to = as<Out>(a.to);
  int rows = a.rows - first < OBSERVED_NORM_ROWS ? (int)(a.rows - first) : OBSERVED_NORM_ROWS;
  /* Twice as many columns by twice as many channels. */
  Share share = share_of<2 * N>(threadIdx.x, blockDim.x, 2 * a.channels, a.twice_channels);
#pragma unroll 1
  for (uint32_t group = share.group; group < share.groups; group += share.group_step) {
    int c = (int)group * N;
    int32_t multiplier[N];
    int64_t offset[N];
    int32_t low[N];
    int32_t high[N];
#pragma unroll
    for (int k = 0; k < N; k++) {
      multiplier[k] = a.multiplier[c + k];
      offset[k] = a.offset[c + k];
      low[k] = INT32_MAX;
      high[k] = INT32_MIN;
    }
#pragma unroll 1
    for (int r = (int)share.row; r < rows; r += (int)share.row_step) {
      NormRow s = statistics[r];
      auto x = load<N>(from + ((first + r) * a.from_stride + c));
      Some<Out, N> out;
#pragma unroll
      for (int k = 0; k < N; k++) {
        int32_t y = normalised(s, at(x, k));
        low[k] = y < low[k] ? y : low[k];
        high[k] = y > high[k] ? y : high[k];
        int64_t v = ((int64_t)y * multiplier[k] + offset[k]) >> a.shift;
        put(out, k, narrowed(saturate16(v), Out()));
      }
      store(to + ((first + r) * a.channels + c), out);
    }
#pragma unroll
    for (int k = 0; k < N; k++) {
      if (present(a.least) && low[k] <= high[k]) {
        atomic_min(least + (c + k), low[k]);
        atomic_max(largest + (c + k), high[k]);
      }
    }
  }
}

/* Shared memory: statistics of rows, then least and largest value of each channel. */
template <typename In, typename Out>
IVIT_DEVICE void norm_observed(const ObservedNormArguments &a) {
  Shared<NormRow> statistics = as<NormRow>(shared_memory());
  Shared<int32_t> least = as<int32_t>(shared_memory() + OBSERVED_NORM_ROWS * sizeof(NormRow));
  Shared<int32_t> largest = least + a.channels;
  bool seen = present(a.least);
  if (seen) {
    for (int c = (int)threadIdx.x; c < a.channels; c += (int)blockDim.x) {
      least[c] = INT32_MAX;
      largest[c] = INT32_MIN;
    }
  }
  auto from = as<const In>(a.from);
  bool aligned = a.channels % 4 == 0 && a.from_stride % 4 == 0 && wide<4>(from, as<Out>(a.to));
#pragma unroll 1
  for (int64_t first = (int64_t)blockIdx.x * OBSERVED_NORM_ROWS; first < a.rows;
       first += (int64_t)gridDim.x * OBSERVED_NORM_ROWS) {
#pragma unroll 1
    for (int r = (int)threadIdx.x / WARP; r < OBSERVED_NORM_ROWS && first + r < a.rows;
         r += (int)blockDim.x / WARP) {
      NormRow s = norm_statistics<In>(a, from + (first + r) * a.from_stride);
      if ((int)threadIdx.x % WARP == 0) {
        statistics[r] = s;
        if (present(a.kept)) {
          a.kept[first + r] = s;
        }
      }
    }
    block_barrier();
    if (aligned) {
      norm_rows<4, In, Out>(a, first, statistics, least, largest);
    } else {
      norm_rows<1, In, Out>(a, first, statistics, least, largest);
    }
    block_barrier();
  }
  if (seen) {
    for (int c = (int)threadIdx.x; c < a.channels; c += (int)blockDim.x) {
      if (least[c] <= largest[c]) {
        widen(a.least + c, a.largest + c, least[c], largest[c]);
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
