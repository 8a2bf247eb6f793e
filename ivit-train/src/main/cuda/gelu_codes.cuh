/* GELU by tables for training, and back through its slopes. */
#pragma once

#include "extremes.cuh"
#include "walk.cuh"

namespace ivit {

enum { GELU_ENTRIES = 512 /* by offset code, from 256 on of outlier channels */ };

struct GeluArguments {
  Global<const int8_t> from;       /* [rows][channels] */
  Global<int8_t> to;               /* [rows][channels]; of the forward pass */
  Global<float> gradient;          /* [rows][channels], multiplied in place; of the backward pass */
  Global<const uint32_t> entries;  /* [512]; see below */
  Global<const float> slopes;      /* [512] */
  Global<const uint8_t> outliers;  /* 1 of an outlier channel, [channels]; or null */
  Global<int32_t> extremes;        /* least and largest rank met; or null */
  int64_t rows;
  Divisor of_channels;
  int32_t channels;
  int32_t unused;
};

/*
 * An entry holds the output code in its lowest byte, and in the next two the rank of the input code
 * among all by what GELU makes of it: once for the least rank, once for the largest. In entries of
 * outlier channels, whose ranks do not count, these are 255 and 0.
 */
IVIT_DEVICE int8_t code_of_entry(uint32_t entry) { return (int8_t)(entry & 255u); }

IVIT_DEVICE int32_t least_of_entry(uint32_t entry) { return (int32_t)(entry >> 8 & 255u); }

IVIT_DEVICE int32_t largest_of_entry(uint32_t entry) { return (int32_t)(entry >> 16); }

/* Bit k of the channel c + k that is an outlier. */
template <int N>
IVIT_DEVICE uint32_t outliers_of(const GeluArguments &a, int c) {
  uint32_t bits = 0;
  if (present(a.outliers)) {
#pragma unroll
    for (int k = 0; k < N; k++) {
      bits |= (a.outliers[c + k] != 0 ? 1u : 0u) << k;
    }
  }
  return bits;
}

IVIT_DEVICE int entry_at(int code, uint32_t outliers, int k) {
  return code + 128 + (int)((outliers >> k & 1u) << 8);
}

}  // namespace ivit

/* Shared memory: the entries. */
IVIT_KERNEL(256, 4) gelu_codes(IVIT_ARGUMENTS(ivit::GeluArguments) a) {
  ivit::Shared<uint32_t> entries = ivit::as<uint32_t>(ivit::shared_memory());
  for (int i = (int)threadIdx.x; i < ivit::GELU_ENTRIES; i += (int)blockDim.x) {
    entries[i] = a.entries[i];
  }
  ivit::block_barrier();
  int32_t least = 255;
  int32_t largest = 0;
  bool wide = ivit::wide<16>(a.from, a.to);
  ivit::each_column<16>(a.rows, a.channels, a.of_channels, wide, [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    uint32_t outliers = ivit::outliers_of<N>(a, c);
    return [=, &a, &least, &largest](int64_t row) {
      int64_t i = row * a.channels + c;
      auto codes = ivit::load<N>(a.from + i);
      ivit::Some<int8_t, N> to;
#pragma unroll
      for (int k = 0; k < N; k++) {
        uint32_t entry = entries[ivit::entry_at(at(codes, k), outliers, k)];
        int32_t low = ivit::least_of_entry(entry);
        int32_t high = ivit::largest_of_entry(entry);
        least = low < least ? low : least;
        largest = high > largest ? high : largest;
        put(to, k, ivit::code_of_entry(entry));
      }
      ivit::store(a.to + i, to);
    };
  });
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_block(a.extremes, least, largest);
  }
}

IVIT_KERNEL(256, 4) gelu_backward(IVIT_ARGUMENTS(ivit::GeluArguments) a) {
  bool wide = ivit::wide<4>(a.from, a.gradient);
  ivit::each_column<4>(a.rows, a.channels, a.of_channels, wide, [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    uint32_t outliers = ivit::outliers_of<N>(a, c);
    return [=, &a](int64_t row) {
      int64_t i = row * a.channels + c;
      auto codes = ivit::load<N>(a.from + i);
      auto gradient = ivit::load<N>(a.gradient + i);
#pragma unroll
      for (int k = 0; k < N; k++) {
        int entry = ivit::entry_at(at(codes, k), outliers, k);
        put(gradient, k, at(gradient, k) * a.slopes[entry]);
      }
      ivit::store(a.gradient + i, gradient);
    };
  });
}
