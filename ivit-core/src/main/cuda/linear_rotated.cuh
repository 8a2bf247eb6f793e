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

/* Words of a pair's turn: those of values leave them as they are. */
IVIT_DEVICE Bytes8 turn_at(
    const RotatedLinearArguments &a, int token, int column, int inside) {
  if (column >= a.turned) {
    return Bytes8{{1u << ROTARY_BITS, 1u << ROTARY_BITS}};
  }
  return *as<const Bytes8>(a.turns + ((int64_t)token * a.padded_dim + inside));
}

/* Shared memory: the stages of the product, then over them the tile's codes. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_rotated(const RotatedLinearArguments &r) {
  await_previous_grid();
  const LinearArguments &a = r.linear;
  Shared<unsigned char> memory = shared_memory();
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, memory, first_row, first_column, acc);

  const int stride = Shape::columns + 16;
  TilePlace place = tile_place<Shape>();
  bool wide = a.wide != 0;
  Channel rotation = channel_of(r.rotation);
  bool wide_rotation = r.rotation.shift < 33;
  int token[Shape::m][2];
#pragma unroll
  for (int i = 0; i < Shape::m; i++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int row = place.row + 16 * i + 8 * half + (place.lane >> 2);
      token[i][half] = place_of(a.map, first_row + row).inside;
    }
  }
#pragma unroll
  for (int j = 0; j < Shape::n; j++) {
    int column = place.column + 8 * j + 2 * (place.lane & 3);
    int in_row = first_column + column;
    int inside = in_row - (int)divide((uint32_t)in_row, r.head) * r.padded_dim;
    Channel c0 = channel_at(a.channels, in_row);
    Channel c1 = channel_at(a.channels, in_row + 1);
#pragma unroll
    for (int i = 0; i < Shape::m; i++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int row = place.row + 16 * i + 8 * half + (place.lane >> 2);
        int32_t z0 = saturate16(requantize(acc[i][j].r[2 * half] + c0.bias, c0, wide));
        int32_t z1 = saturate16(requantize(acc[i][j].r[2 * half + 1] + c1.bias, c1, wide));
        Bytes8 turn = turn_at(r, token[i][half], in_row, inside);
        uint32_t codes = pack_codes8(
            requantize(turned(z0, z1, turn.r[0]), rotation, wide_rotation),
            requantize(turned(z1, z0, turn.r[1]), rotation, wide_rotation), 0);
        *as<uint16_t>(memory + (row * stride + column)) = (uint16_t)codes;
      }
    }
  }
  block_barrier();
  store_codes<Shape>(a, memory, first_row, first_column);
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
