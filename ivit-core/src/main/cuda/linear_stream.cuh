/* Linear layers with 16-bit output, added to what flows past the block. */
#pragma once

#include "linear_epilogue.cuh"
#include "linear_indices.cuh"

namespace ivit {

/* Two neighbouring 16-bit codes in a word, each added to its identity. */
template <bool shifted>
IVIT_DEVICE uint32_t add_codes(
    const CodeMultiplier &branch, const CodeMultiplier &identity, uint32_t z, uint32_t x) {
  return pack_codes16(
      scale_code<false, true>(z, branch) + scale_code<false, shifted>(x, identity),
      scale_code<true, true>(z, branch) + scale_code<true, shifted>(x, identity));
}

/* The same where a code does not leave enough of 32 bits. */
IVIT_DEVICE uint32_t add_codes_wide(const Adder &adder, uint32_t z, uint32_t x) {
  return pack_codes16(
      add_wide(adder, (int16_t)(z & 0xffffu), (int16_t)(x & 0xffffu)),
      add_wide(adder, (int32_t)z >> 16, (int32_t)x >> 16));
}

/* Two 16-bit codes saturated to 8 bits. */
IVIT_DEVICE uint32_t narrow_codes(uint32_t z) {
  return pack_codes16(saturate8((int16_t)(z & 0xffffu)), saturate8((int32_t)z >> 16));
}

/* Where a row goes in the stream, and where in the identity lies what is added to it: tokens. */
struct StreamToken {
  int32_t to;
  int32_t from;
};

IVIT_DEVICE StreamToken stream_token(const LinearArguments &a, int row) {
  Place place = place_of(a.map, row);
  return StreamToken{
      place.group * a.map.stride + place.inside, place.group * a.identity_stride + place.inside};
}

/* Whether each row is the token of its number. */
IVIT_DEVICE bool in_order(const LinearArguments &a) {
  return !present(a.map.table) && a.map.length == a.map.stride && a.map.offset == 0
      && a.identity_stride == a.map.stride;
}

/* A thread's rows of the stream and of the identity, in pieces of 16-bit codes. */
template <typename Shape>
struct StreamRows {
  using P = Pieces<Shape>;
  using Piece = Words<P::pairs>;

  int first; /* row of the product */
  int64_t to;
  int64_t from;
  int32_t below_to[P::rows]; /* pieces from the first row on */
  int32_t below_from[P::rows];

  IVIT_DEVICE StreamRows(const LinearArguments &a, int first_row) : first(first_row) {
    int32_t pieces = a.output_stride / P::outputs;
    if (in_order(a)) {
      to = (int64_t)first_row * a.output_stride;
      from = to;
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
        below_to[r] = P::below(r) * pieces;
        below_from[r] = below_to[r];
      }
      return;
    }
    StreamToken token = stream_token(a, first_row);
    to = (int64_t)token.to * a.output_stride;
    from = (int64_t)token.from * a.output_stride;
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      StreamToken other = stream_token(a, first_row + P::below(r));
      below_to[r] = (other.to - token.to) * pieces;
      below_from[r] = (other.from - token.from) * pieces;
    }
  }

  IVIT_DEVICE bool has(const LinearArguments &a, int r) const {
    return first + P::below(r) < a.rows;
  }

  /* Each row from `output` on, with its identity. */
  template <bool shifted>
  IVIT_DEVICE void add(const LinearArguments &a, int output, Piece (&z)[P::rows]) const {
    Piece x[P::rows];
    auto at = as<const Piece>(a.identity + (from + output));
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      if (has(a, r)) {
        x[r] = at[below_from[r]];
      }
    }
    CodeMultiplier branch = code_multiplier(a.adder.branch);
    CodeMultiplier identity = code_multiplier(a.adder.identity);
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
#pragma unroll
      for (int k = 0; k < P::pairs; k++) {
        z[r].r[k] = add_codes<shifted>(branch, identity, z[r].r[k], x[r].r[k]);
      }
    }
  }

  IVIT_DEVICE void store(const LinearArguments &a, int output, const Piece (&z)[P::rows]) const {
    auto at = as<Piece>(a.stream + (to + output));
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      if (has(a, r)) {
        at[below_to[r]] = z[r];
      }
    }
  }

  /* Adds in 64 bits and stores, a row after the other; z waits in the thread's own places. */
  IVIT_DEVICE void store_wide(
      const LinearArguments &a, Shared<unsigned char> memory, int output,
      const Piece (&z)[P::rows]) const {
    const int distance = OwnPlaces<Shape>::distance;
    Shared<unsigned char> own = OwnPlaces<Shape>::first(memory);
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      *as<Piece>(own + r * distance) = z[r];
    }
#pragma unroll 1
    for (int r = 0; r < P::rows && has(a, r); r++) {
      StreamToken token = stream_token(a, first + P::below(r));
      Piece sum = *as<Piece>(own + r * distance);
      Piece x = *as<const Piece>(
          a.identity + ((int64_t)token.from * a.output_stride + output));
#pragma unroll
      for (int k = 0; k < P::pairs; k++) {
        sum.r[k] = add_codes_wide(a.adder, sum.r[k], x.r[k]);
      }
      *as<Piece>(a.stream + ((int64_t)token.to * a.output_stride + output)) = sum;
    }
  }
};

/* The codes of a piece of each row, before they are added. */
template <typename Shape, bool wide>
IVIT_DEVICE void stream_codes(
    const LinearArguments &a, int piece, int output, const Accumulator (&acc)[Shape::m][Shape::n],
    Words<Pieces<Shape>::pairs> (&z)[Pieces<Shape>::rows]) {
  using P = Pieces<Shape>;
#pragma unroll
  for (int k = 0; k < P::pairs; k++) {
    FoldedChannel c0 = folded_at(a.channels, output + 2 * k);
    FoldedChannel c1 = folded_at(a.channels, output + 2 * k + 1);
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      const int32_t *sums = sums_at<Shape>(acc, r, piece, k);
      z[r].r[k] = pack_codes16(requantized<wide>(sums[0], c0), requantized<wide>(sums[1], c1));
    }
  }
}

template <typename Shape>
IVIT_DEVICE void stream_epilogue(
    const LinearArguments &a, Shared<unsigned char> memory, int first_row, int first_column,
    const Accumulator (&acc)[Shape::m][Shape::n]) {
  using P = Pieces<Shape>;
  P pieces;
#pragma unroll
  for (int piece = 0; piece < P::count; piece++) {
    int output = first_column + pieces.output_of(piece);
    if (output >= a.output_stride) {
      return;
    }
    Words<P::pairs> z[P::rows];
    if (a.wide == 0) {
      stream_codes<Shape, false>(a, piece, output, acc, z);
    } else {
      stream_codes<Shape, true>(a, piece, output, acc, z);
    }
    if (a.bits == 8) {
#pragma unroll
      for (int i = 0; i < P::rows * P::pairs; i++) {
        uint32_t &word = z[i / P::pairs].r[i % P::pairs];
        word = narrow_codes(word);
      }
    }
    StreamRows<Shape> rows(a, first_row + pieces.row);
    if (present(a.identity)) {
      if (is_wide(a.adder)) {
        rows.store_wide(a, memory, output, z);
        continue;
      }
      if (a.adder.identity.shift <= 32) {
        rows.template add<false>(a, output, z);
      } else {
        rows.template add<true>(a, output, z);
      }
    }
    rows.store(a, output, z);
  }
}

/* Shared memory: the stages of the product. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_stream(const LinearArguments &a) {
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, shared_memory(), first_row, first_column, acc);
  if (slice_of_thread<Shape>() > 0) {
    return;
  }
  stream_epilogue<Shape>(a, shared_memory(), first_row, first_column, acc);
}

}  // namespace ivit

IVIT_KERNEL(256, 2) linear_stream_large(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::LargeTile>(a);
}

IVIT_KERNEL(128, 4) linear_stream_medium(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::MediumTile>(a);
}

IVIT_KERNEL(128, 4) linear_stream_small(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::SmallTile>(a);
}

IVIT_KERNEL(512, 1) linear_stream_sliced(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::SlicedTile>(a);
}

IVIT_KERNEL(256, 2) linear_stream_warpgroup(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::WarpgroupTile>(a);
}

IVIT_KERNEL(128, 4) linear_stream_indices_medium(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::MediumTile, ivit::IndexLoader>(a);
}

IVIT_KERNEL(128, 4) linear_stream_indices_small(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::SmallTile, ivit::IndexLoader>(a);
}

IVIT_KERNEL(512, 1) linear_stream_indices_sliced(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::SlicedTile, ivit::IndexLoader>(a);
}
