/* I-LayerNorm with requantization, a warp a row. */
#pragma once

#include "divide.cuh"
#include "requantize.cuh"
#include "root.cuh"
#include "rows.cuh"

namespace ivit {

struct NormArguments {
  Global<const int8_t> codes;      /* 8-bit input, [tokens][input_stride]; or null */
  Global<const int16_t> stream;    /* 16-bit input, [tokens][input_stride]; or null */
  Global<const int32_t> source;    /* element of each output channel from the row's token on, -1 of
                                      padding, [output_stride]; null where they lie in order */
  Global<const int32_t> multiplier; /* by output channel, [output_stride], 0 in the padding */
  Global<const int64_t> offset;    /* rounding included */
  Global<int8_t> codes_out;        /* 8-bit output, [rows][output_stride]; or null */
  Global<int16_t> stream_out;      /* 16-bit output, [rows][output_stride], or [tokens] where the
                                      input is a stream; or null */
  RowMap map;                      /* rows to tokens of the input */
  int64_t epsilon;                 /* added to the sum of squared deviations */
  Divisor twice_channels;
  int32_t rows;
  int32_t channels;
  int32_t input_stride;  /* elements, a multiple of 8 */
  int32_t output_stride; /* elements, a multiple of 8 */
  int32_t shift;
  int32_t unused;
};

/* What a row's values are normalised by: (((x - mean) * factor) >> 1). */
struct RowStatistics {
  int32_t mean;
  int32_t factor;
};

IVIT_DEVICE uint64_t warp_sum(uint64_t v) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    uint32_t low = shuffle_xor((uint32_t)v, lanes);
    uint32_t high = shuffle_xor((uint32_t)(v >> 32), lanes);
    v += (uint64_t)high << 32 | low;
  }
  return v;
}

/*
 * Of the sums of x and of x * x over a row: the mean with ties up, and the quotient by the exact
 * root of the squares' sum. The sum of (x - mean)^2 is that of squares less mean * (2 sum - C mean),
 * without rounding. An epsilon may be part of `squares`.
 */
IVIT_DEVICE RowStatistics statistics(
    int32_t channels, const Divisor &twice_channels, int64_t sum, int64_t squares, uint32_t &root) {
  /* Moved by 32768 a channel, so that the quotient is one of natural numbers below 2^31. */
  uint32_t dividend = (uint32_t)(2 * (sum + (int64_t)32768 * channels) + channels);
  int32_t mean = (int32_t)divide(dividend, twice_channels) - 32768;
  uint64_t deviations = (uint64_t)(squares - mean * (2 * sum - (int64_t)channels * mean));
  root = square_root(deviations);
  root = root < 1 ? 1 : root;
  return RowStatistics{mean, (int32_t)divide_most(root)};
}

IVIT_DEVICE int32_t norm_output(
    const NormArguments &a, const RowStatistics &s, int32_t x, int32_t multiplier, int64_t offset) {
  int32_t y = (int32_t)(((int64_t)(x - s.mean) * s.factor) >> 1);
  int64_t v = (int64_t)y * multiplier + offset;
  return a.shift >= 32 ? (int32_t)(v >> 32) >> (a.shift - 32) : saturate16(v >> a.shift);
}

/* Rows whose channels lie in order: eight at a time, the last eight with padding. */
template <typename In>
struct InOrder;

template <>
struct InOrder<int16_t> {
  Global<const int16_t> row;

  IVIT_DEVICE void eight(int c, int32_t (&x)[8]) const {
    Bytes16 b = *as<const Bytes16>(row + c);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      x[2 * k] = (int16_t)(b.r[k] & 0xffffu);
      x[2 * k + 1] = (int32_t)b.r[k] >> 16;
    }
  }
};

template <>
struct InOrder<int8_t> {
  Global<const int8_t> row;

  IVIT_DEVICE void eight(int c, int32_t (&x)[8]) const {
    Bytes8 b = *as<const Bytes8>(row + c);
#pragma unroll
    for (int k = 0; k < 8; k++) {
      x[k] = (int8_t)(b.r[k / 4] >> (8 * (k % 4)) & 255u);
    }
  }
};

/* Rows whose channels are gathered: outlier channels first, or neighbours that are merged. */
struct Gathered {
  Global<const int16_t> row;
  Global<const int32_t> source;

  IVIT_DEVICE void eight(int c, int32_t (&x)[8]) const {
#pragma unroll
    for (int k = 0; k < 8; k++) {
      int from = source[c + k];
      x[k] = from < 0 ? 0 : row[from];
    }
  }
};

template <typename Row>
IVIT_DEVICE RowStatistics row_statistics(const NormArguments &a, const Row &row, int end, int lane) {
  int64_t sum = 0;
  int64_t squares = 0;
#pragma unroll 1
  for (int c = 8 * lane; c < end; c += 8 * WARP) {
    int32_t x[8];
    row.eight(c, x);
#pragma unroll
    for (int k = 0; k < 8; k++) {
      int32_t v = c + k < end ? x[k] : 0;
      sum += v;
      squares += (uint32_t)(v * v);
    }
  }
  uint32_t root = 0;
  return statistics(
      a.channels, a.twice_channels, (int64_t)warp_sum((uint64_t)sum),
      (int64_t)warp_sum((uint64_t)squares) + a.epsilon, root);
}

IVIT_DEVICE void store_eight(Global<int8_t> to, const int32_t (&v)[8]) {
  Bytes8 out;
  out.r[0] = pack_codes8(v[0], v[1], pack_codes8(v[2], v[3], 0));
  out.r[1] = pack_codes8(v[4], v[5], pack_codes8(v[6], v[7], 0));
  *as<Bytes8>(to) = out;
}

IVIT_DEVICE void store_eight(Global<int16_t> to, const int32_t (&v)[8]) {
  Bytes16 out;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    out.r[k] = pack_codes16(v[2 * k], v[2 * k + 1]);
  }
  *as<Bytes16>(to) = out;
}

/* A 64-bit integer of two words. */
IVIT_DEVICE int64_t word(const Bytes16 &b, int first) {
  return (int64_t)((uint64_t)b.r[first + 1] << 32 | b.r[first]);
}

/* `end` is where the row ends: at its channels, or with the padding of a gathered one. */
template <typename Row, typename Out>
IVIT_DEVICE void norm_row(
    const NormArguments &a, const Row &row, int end, Global<Out> out, int lane) {
  RowStatistics s = row_statistics(a, row, end, lane);
#pragma unroll 1
  for (int c = 8 * lane; c < end; c += 8 * WARP) {
    int32_t x[8];
    row.eight(c, x);
    int32_t v[8];
#pragma unroll
    for (int k = 0; k < 8; k += 4) {
      Bytes16 m = *as<const Bytes16>(a.multiplier + (c + k));
#pragma unroll
      for (int i = 0; i < 4; i += 2) {
        Bytes16 b = *as<const Bytes16>(a.offset + (c + k + i));
        v[k + i] = norm_output(a, s, x[k + i], (int32_t)m.r[i], word(b, 0));
        v[k + i + 1] = norm_output(a, s, x[k + i + 1], (int32_t)m.r[i + 1], word(b, 2));
      }
    }
    store_eight(out + c, v);
  }
}

enum { NORM_WARPS = 4 };

IVIT_DEVICE int norm_row_number() {
  return (int)blockIdx.x * NORM_WARPS + (int)threadIdx.x / WARP;
}

}  // namespace ivit
