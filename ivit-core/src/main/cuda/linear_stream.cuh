/* Linear layers with 16-bit output, added to what flows past the block. */
#pragma once

#include "linear_indices.cuh"

namespace ivit {

/* Two neighbouring 16-bit codes in a word, each added to its identity. */
IVIT_DEVICE uint32_t add_codes(
    const LinearArguments &a, const CodeMultiplier &branch, const CodeMultiplier &identity,
    bool wide, uint32_t z, uint32_t x) {
  int32_t z0 = (int16_t)(z & 0xffffu);
  int32_t z1 = (int32_t)z >> 16;
  int32_t x0 = (int16_t)(x & 0xffffu);
  int32_t x1 = (int32_t)x >> 16;
  if (wide) {
    return pack_codes16(add_wide(a.adder, z0, x0), add_wide(a.adder, z1, x1));
  }
  return pack_codes16(
      scale_code(z0, branch) + scale_code(x0, identity),
      scale_code(z1, branch) + scale_code(x1, identity));
}

/* Shared memory: the stages of the product, then over them the tile's 16-bit codes. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_stream(const LinearArguments &a) {
  await_previous_grid();
  Shared<unsigned char> memory = shared_memory();
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, memory, first_row, first_column, acc);

  const int stride = 2 * Shape::columns + 16;
  TilePlace place = tile_place<Shape>();
  bool wide = a.wide != 0;
#pragma unroll
  for (int j = 0; j < Shape::n; j++) {
    int column = place.column + 8 * j + 2 * (place.lane & 3);
    Channel c0 = channel_at(a.channels, first_column + column);
    Channel c1 = channel_at(a.channels, first_column + column + 1);
#pragma unroll
    for (int i = 0; i < Shape::m; i++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int row = place.row + 16 * i + 8 * half + (place.lane >> 2);
        int32_t z0 = requantize(acc[i][j].r[2 * half] + c0.bias, c0, wide);
        int32_t z1 = requantize(acc[i][j].r[2 * half + 1] + c1.bias, c1, wide);
        if (a.bits == 8) {
          z0 = saturate8(z0);
          z1 = saturate8(z1);
        }
        *as<uint32_t>(memory + (row * stride + 2 * column)) = pack_codes16(z0, z1);
      }
    }
  }
  block_barrier();
  bool added = present(a.identity);
  bool wide_sum = is_wide(a.adder);
  CodeMultiplier branch = code_multiplier(a.adder.branch);
  CodeMultiplier identity = code_multiplier(a.adder.identity);
  const int chunks = Shape::columns / 8;
  const int pieces = Shape::rows * chunks;
#pragma unroll
  for (int first = 0; first < pieces; first += Shape::threads) {
    int i = first + (int)threadIdx.x;
    if (pieces % Shape::threads != 0 && i >= pieces) {
      break;
    }
    int row = i / chunks;
    int column = i % chunks * 8;
    if (first_row + row < a.rows && first_column + column < a.output_stride) {
      Bytes16 z = *as<Bytes16>(memory + (row * stride + 2 * column));
      Place token = place_of(a.map, first_row + row);
      int64_t to = (int64_t)(token.group * a.map.stride + token.inside) * a.output_stride
          + first_column + column;
      if (added) {
        int64_t from = (int64_t)(token.group * a.identity_stride + token.inside) * a.output_stride
            + first_column + column;
        Bytes16 x = *as<const Bytes16>(a.identity + from);
#pragma unroll
        for (int k = 0; k < 4; k++) {
          z.r[k] = add_codes(a, branch, identity, wide_sum, z.r[k], x.r[k]);
        }
      }
      *as<Bytes16>(a.stream + to) = z;
    }
  }
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

IVIT_KERNEL(256, 2) linear_stream_warpgroup(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::WarpgroupTile>(a);
}

IVIT_KERNEL(128, 4) linear_stream_indices_medium(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::MediumTile, ivit::IndexLoader>(a);
}

IVIT_KERNEL(128, 4) linear_stream_indices_small(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_stream<ivit::SmallTile, ivit::IndexLoader>(a);
}
