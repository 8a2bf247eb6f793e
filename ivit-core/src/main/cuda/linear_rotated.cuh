/* The product of queries, keys and values, turned by rotary positions where it ends. */
#pragma once

#include "linear_codes.cuh"
#include "rotary.cuh"

namespace ivit {

/*
 * Heads are padded, and the channels of queries and keys lie in pairs that are turned together: one
 * thread has both.
 */
struct RotatedLinearArguments {
  LinearArguments linear;       /* codes receive [rows][3][heads][padded_dim]; the map gives tokens */
  Global<const uint32_t> turns; /* cosine and sine, 16 bits each, [token][padded_dim] */
  Dyadic rotation;
  Divisor head; /* of padded_dim */
  int32_t padded_dim;
  int32_t turned; /* columns of queries and keys, which come first */
};

/* Words of a pair's turn: those of values leave them as they are, and lie behind the turned ones. */
IVIT_DEVICE Bytes8 turn_at(
    const RotatedLinearArguments &a, int token, int column, int inside) {
  if (column >= a.turned) {
    return Bytes8{{1u << ROTARY_BITS, 1u << ROTARY_BITS}};
  }
  return *as<const Bytes8>(a.turns + ((int64_t)token * a.padded_dim + inside));
}

template <typename Shape>
IVIT_DEVICE void rotated_epilogue(
    const RotatedLinearArguments &r, int first_row, int first_column,
    const Accumulator (&acc)[Shape::m][Shape::n]) {
  using P = Pieces<Shape>;
  const LinearArguments &a = r.linear;
  P pieces;
  int own_row = first_row + pieces.row;
  int first_output = first_column + pieces.output;
  Codes16<Shape> codes(a, first_output, acc);
  Channel rotation = channel_of(r.rotation);
  bool wide_rotation = r.rotation.shift < 33;
  int token[P::rows];
#pragma unroll
  for (int row = 0; row < P::rows; row++) {
    token[row] = place_of(a.map, own_row + P::below(row)).inside;
  }
#pragma unroll
  for (int piece = 0; piece < P::count; piece++) {
    int output = first_output + P::apart(piece);
    int inside = output - (int)divide((uint32_t)output, r.head) * r.padded_dim;
    CodeRows<Shape> rows;
#pragma unroll
    for (int k = P::pairs - 1; k >= 0; k--) {
#pragma unroll
      for (int row = 0; row < P::rows; row++) {
        uint32_t pair = codes.z[piece][row].r[k];
        int32_t z0 = (int16_t)(pair & 0xffffu);
        int32_t z1 = (int32_t)pair >> 16;
        Bytes8 turn = turn_at(r, token[row], output, inside + 2 * k);
        rows.set(
            row, k, requantize(turned(z0, z1, turn.r[0]), rotation, wide_rotation),
            requantize(turned(z1, z0, turn.r[1]), rotation, wide_rotation));
      }
    }
    rows.store(a, own_row, output);
  }
}

/* Shared memory: the stages of the product. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_rotated(const RotatedLinearArguments &r) {
  await_previous_grid();
  const LinearArguments &a = r.linear;
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, shared_memory(), first_row, first_column, acc);
  rotated_epilogue<Shape>(r, first_row, first_column, acc);
}

}  // namespace ivit

IVIT_KERNEL(256, 2) linear_rotated_large(IVIT_ARGUMENTS(ivit::RotatedLinearArguments) a) {
  ivit::linear_rotated<ivit::LargeTile>(a);
}

IVIT_KERNEL(128, 4) linear_rotated_medium(IVIT_ARGUMENTS(ivit::RotatedLinearArguments) a) {
  ivit::linear_rotated<ivit::MediumTile>(a);
}

IVIT_KERNEL(128, 4) linear_rotated_small(IVIT_ARGUMENTS(ivit::RotatedLinearArguments) a) {
  ivit::linear_rotated<ivit::SmallTile>(a);
}

IVIT_KERNEL(256, 2) linear_rotated_warpgroup(IVIT_ARGUMENTS(ivit::RotatedLinearArguments) a) {
  ivit::linear_rotated<ivit::WarpgroupTile>(a);
}

IVIT_KERNEL(128, 4) linear_rotated_indices_medium(IVIT_ARGUMENTS(ivit::RotatedLinearArguments) a) {
  ivit::linear_rotated<ivit::MediumTile, ivit::IndexLoader>(a);
}

IVIT_KERNEL(128, 4) linear_rotated_indices_small(IVIT_ARGUMENTS(ivit::RotatedLinearArguments) a) {
  ivit::linear_rotated<ivit::SmallTile, ivit::IndexLoader>(a);
}
