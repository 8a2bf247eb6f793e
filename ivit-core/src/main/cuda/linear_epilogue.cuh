/* What epilogues share: which outputs a thread has, and their requantization. */
#pragma once

#include "linear.cuh"

namespace ivit {

/*
 * An output channel of a product, (sum * multiplier + addend) >> shift: the addend holds the bias and
 * the rounding. Where every e of a layer is 33 or more, the quotient lies in the upper half of the
 * product, and shift = e - 32. Otherwise the layer is wide, and shift = e, at least 2 where the
 * quotient is clamped.
 */
struct FoldedChannel {
  int32_t multiplier;
  int32_t shift;
  int64_t addend;
};

IVIT_DEVICE FoldedChannel folded_at(Global<const Bytes16> channels, int c) {
  Bytes16 b = channels[c];
  return FoldedChannel{
      (int32_t)b.r[0], (int32_t)b.r[1], (int64_t)((uint64_t)b.r[3] << 32 | b.r[2])};
}

/* A value that saturates to 8 or 16 bits as the exact one does. */
template <bool wide>
IVIT_DEVICE int32_t requantized(int32_t sum, const FoldedChannel &c) {
  int64_t product = (int64_t)sum * c.multiplier + c.addend;
  int32_t high = (int32_t)(product >> 32);
  if constexpr (!wide) {
    return high >> c.shift;
  }
  /* Upper halves beyond these give quotients of more than 32 bits. */
  int32_t most = 0x7fffffff >> (c.shift < 32 ? 32 - c.shift : 0);
  high = high > most ? most : high < -most - 1 ? -most - 1 : high;
  return (int32_t)((int64_t)((uint64_t)(uint32_t)high << 32 | (uint32_t)product) >> c.shift);
}

/* Words that are loaded and stored at once. */
template <int N>
struct alignas(4 * N) Words {
  uint32_t r[N];
};

/*
 * A thread's accumulators of a row, in pieces of neighbouring outputs. Columns of a product come in
 * groups of 32, in each of which column 8j + 2t + b is output 8t + 2j + b, so that a thread, which
 * has two columns of every eight, has neighbours: pair k of a piece is in accumulator
 * pairs * piece + k.
 */
template <typename Shape>
struct Pieces {
  enum {
    pairs = Shape::n < 4 ? Shape::n : 4,
    outputs = 2 * pairs, /* of a piece */
    count = Shape::n / pairs,
    rows = 2 * Shape::m
  };
  static_assert(Shape::n == 2 || Shape::n % 4 == 0, "a warp has half of a group or whole ones");

  int row;    /* of the tile, the first of the thread */
  int output; /* of the tile, the first of the thread */

  IVIT_DEVICE Pieces() {
    TilePlace place = tile_place<Shape>();
    row = place.row + (place.lane >> 2);
    output = (place.column & ~31) + ((place.column & 31) >> 2) + 8 * (place.lane & 3);
  }

  /* How far the first output of a piece lies behind that of the first one. */
  IVIT_DEVICE static constexpr int apart(int piece) { return 32 * piece; }

  /* How far row r of the thread lies below the first. */
  IVIT_DEVICE static constexpr int below(int r) { return 8 * r; }
};

/* The sums of a row of a thread, of an output and of the next one. */
template <typename Shape>
IVIT_DEVICE const int32_t *sums_at(
    const Accumulator (&acc)[Shape::m][Shape::n], int r, int piece, int k) {
  return acc[r / 2][Pieces<Shape>::pairs * piece + k].r + 2 * (r % 2);
}

/* Two 16-bit codes saturated to 8 bits. */
IVIT_DEVICE uint32_t narrow_codes(uint32_t z) {
  return pack_codes16(saturate8((int16_t)(z & 0xffffu)), saturate8((int32_t)z >> 16));
}

/* A thread's 16-bit codes. */
template <typename Shape>
struct Codes16 {
  using P = Pieces<Shape>;

  Words<P::pairs> z[P::count][P::rows];

  IVIT_DEVICE Codes16(
      const LinearArguments &a, int first_output, const Accumulator (&acc)[Shape::m][Shape::n]) {
    if (a.wide == 0) {
      requantize_sums<false>(a, first_output, acc);
    } else {
      requantize_sums<true>(a, first_output, acc);
    }
  }

  template <bool wide>
  IVIT_DEVICE void requantize_sums(
      const LinearArguments &a, int first_output, const Accumulator (&acc)[Shape::m][Shape::n]) {
#pragma unroll
    for (int piece = 0; piece < P::count; piece++) {
#pragma unroll
      for (int k = 0; k < P::pairs; k++) {
        int output = first_output + P::apart(piece) + 2 * k;
        FoldedChannel c0 = folded_at(a.channels, output);
        FoldedChannel c1 = folded_at(a.channels, output + 1);
#pragma unroll
        for (int r = 0; r < P::rows; r++) {
          const int32_t *sums = sums_at<Shape>(acc, r, piece, k);
          z[piece][r].r[k] =
              pack_codes16(requantized<wide>(sums[0], c0), requantized<wide>(sums[1], c1));
        }
      }
    }
  }

  IVIT_DEVICE void narrow() {
#pragma unroll
    for (int i = 0; i < P::count * P::rows * P::pairs; i++) {
      uint32_t &word = z[i / (P::rows * P::pairs)][i / P::pairs % P::rows].r[i % P::pairs];
      word = narrow_codes(word);
    }
  }
};

}  // namespace ivit
