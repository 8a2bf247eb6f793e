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

/* Where a thread's pieces lie in the stream and in the identity. */
template <typename Shape>
struct StreamRows {
  using P = Pieces<Shape>;
  using Piece = Words<P::pairs>;
  using Codes = Codes16<Shape>;

  int row;    /* of the product, the first of the thread */
  int output; /* the first of the thread */
  int64_t to;
  int64_t from;
  int32_t below_to[P::rows]; /* pieces from the first row on */
  int32_t below_from[P::rows];

  IVIT_DEVICE StreamRows(const LinearArguments &a, int first_row, int first_output)
      : row(first_row), output(first_output) {
    int32_t pieces = a.output_stride / P::outputs;
    if (in_order(a)) {
      to = (int64_t)row * a.output_stride;
      from = to;
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
        below_to[r] = P::below(r) * pieces;
        below_from[r] = below_to[r];
      }
      return;
    }
    StreamToken token = stream_token(a, row);
    to = (int64_t)token.to * a.output_stride;
    from = (int64_t)token.from * a.output_stride;
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      StreamToken other = stream_token(a, row + P::below(r));
      below_to[r] = (other.to - token.to) * pieces;
      below_from[r] = (other.from - token.from) * pieces;
    }
  }

  /* Whether a piece is there, where the first one of the first row is. */
  IVIT_DEVICE bool has(const LinearArguments &a, int piece, int r) const {
    return row + P::below(r) < a.rows
        && (piece == 0 || output + P::apart(piece) < a.output_stride);
  }

  template <bool shifted>
  IVIT_DEVICE void add(const LinearArguments &a, Codes &codes) const {
    auto at = as<const Piece>(a.identity + (from + output));
    CodeMultiplier branch = code_multiplier(a.adder.branch);
    CodeMultiplier identity = code_multiplier(a.adder.identity);
    Piece x[P::count][P::rows];
#pragma unroll
    for (int piece = 0; piece < P::count; piece++) {
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
        if (has(a, piece, r)) {
          x[piece][r] = at[below_from[r] + P::apart(piece) / P::outputs];
        }
      }
    }
#pragma unroll
    for (int piece = 0; piece < P::count; piece++) {
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
#pragma unroll
        for (int k = 0; k < P::pairs; k++) {
          uint32_t &z = codes.z[piece][r].r[k];
          z = add_codes<shifted>(branch, identity, z, x[piece][r].r[k]);
        }
      }
    }
  }

  IVIT_DEVICE void store(const LinearArguments &a, const Codes &codes) const {
    auto at = as<Piece>(a.stream + (to + output));
#pragma unroll
    for (int piece = 0; piece < P::count; piece++) {
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
        if (has(a, piece, r)) {
          at[below_to[r] + P::apart(piece) / P::outputs] = codes.z[piece][r];
        }
      }
    }
  }

  /* Adds in 64 bits and stores, a piece after the other; z waits in the thread's own places. */
  IVIT_DEVICE void store_wide(
      const LinearArguments &a, Shared<unsigned char> memory, const Codes &codes) const {
    const int distance = OwnPlaces<Shape>::distance;
    Shared<unsigned char> own = OwnPlaces<Shape>::first(memory);
#pragma unroll
    for (int i = 0; i < P::count * P::rows; i++) {
      *as<Piece>(own + i * distance) = codes.z[i / P::rows][i % P::rows];
    }
#pragma unroll 1
    for (int i = 0; i < P::count * P::rows; i++) {
      int piece = i / P::rows;
      int r = i % P::rows;
      if (!has(a, piece, r)) {
        continue;
      }
      StreamToken token = stream_token(a, row + P::below(r));
      int64_t column = output + P::apart(piece);
      Piece sum = *as<Piece>(own + i * distance);
      Piece x = *as<const Piece>(
          a.identity + ((int64_t)token.from * a.output_stride + column));
#pragma unroll
      for (int k = 0; k < P::pairs; k++) {
        sum.r[k] = add_codes_wide(a.adder, sum.r[k], x.r[k]);
      }
      *as<Piece>(a.stream + ((int64_t)token.to * a.output_stride + column)) = sum;
    }
  }
};

/* `memory` is free. */
template <typename Shape>
IVIT_DEVICE void stream_epilogue(
    const LinearArguments &a, Shared<unsigned char> memory, int first_row, int first_column,
    const Accumulator (&acc)[Shape::m][Shape::n]) {
  Pieces<Shape> pieces;
  int output = first_column + pieces.output;
  if (output >= a.output_stride) {
    return;
  }
  Codes16<Shape> codes(a, output, acc);
  if (a.bits == 8) {
    codes.narrow();
  }
  StreamRows<Shape> rows(a, first_row + pieces.row, output);
  if (present(a.identity)) {
    if (is_wide(a.adder)) {
      rows.store_wide(a, memory, codes);
      return;
    }
    if (a.adder.identity.shift <= 32) {
      rows.template add<false>(a, codes);
    } else {
      rows.template add<true>(a, codes);
    }
  }
  rows.store(a, codes);
}

/* Shared memory: the stages of the product. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_stream(const LinearArguments &a) {
  await_previous_grid();
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
