/* Linear layers with 8-bit output, with or without GELU by table. */
#pragma once

#include "linear_indices.cuh"

namespace ivit {

enum { GELU_BYTES = 512 };

/* Two codes through the table of their column: the offset code is the index. */
IVIT_DEVICE uint32_t gelu_codes(
    const LinearArguments &a, Shared<unsigned char> tables, uint32_t codes, int column) {
  uint32_t offset = codes ^ 0x8080u;
  int first = column < a.outlier_columns ? 256 : 0;
  int second = column + 1 < a.outlier_columns ? 256 : 0;
  return (uint32_t)tables[first + (int)(offset & 255u)]
      | ((uint32_t)tables[second + (int)(offset >> 8 & 255u)] << 8);
}

/* A tile of codes in shared memory, 16 bytes more a row, to its place in the output. */
template <typename Shape>
IVIT_DEVICE void store_codes(
    const LinearArguments &a, Shared<unsigned char> memory, int first_row, int first_column) {
  const int stride = Shape::columns + 16;
  const int chunks = Shape::columns / 16;
  const int pieces = Shape::rows * chunks;
#pragma unroll
  for (int first = 0; first < pieces; first += Shape::threads) {
    int i = first + (int)threadIdx.x;
    if (pieces % Shape::threads != 0 && i >= pieces) {
      break;
    }
    int row = i / chunks;
    int column = i % chunks * 16;
    if (first_row + row < a.rows && first_column + column < a.output_stride) {
      Bytes16 codes = *as<Bytes16>(memory + (row * stride + column));
      int64_t to = (int64_t)(first_row + row) * a.output_stride + first_column + column;
      *as<Bytes16>(a.codes + to) = codes;
    }
  }
}

/* Shared memory: GELU's tables, then the stages of the product, then over them the tile's codes. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_codes(const LinearArguments &a) {
  await_previous_grid();
  Shared<unsigned char> tables = shared_memory();
  Shared<unsigned char> memory = tables + GELU_BYTES;
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  bool gelu = present(a.tables);
  if (gelu) {
    int length = a.outlier_columns > 0 ? 512 : 256;
    for (int i = (int)threadIdx.x; i < length; i += Shape::threads) {
      tables[i] = a.tables[i];
    }
  }
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, memory, first_row, first_column, acc);

  /* 16 bytes more a row keep the lanes of a store in different banks. */
  const int stride = Shape::columns + 16;
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
        uint32_t codes = pack_codes8(
            requantize(acc[i][j].r[2 * half] + c0.bias, c0, wide),
            requantize(acc[i][j].r[2 * half + 1] + c1.bias, c1, wide), 0);
        if (gelu) {
          codes = gelu_codes(a, tables, codes, first_column + column);
        }
        *as<uint16_t>(memory + (row * stride + column)) = (uint16_t)codes;
      }
    }
  }
  block_barrier();
  store_codes<Shape>(a, memory, first_row, first_column);
}

}  // namespace ivit

IVIT_KERNEL(256, 2) linear_codes_large(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::LargeTile>(a);
}

IVIT_KERNEL(128, 4) linear_codes_medium(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::MediumTile>(a);
}

IVIT_KERNEL(128, 4) linear_codes_small(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::SmallTile>(a);
}

IVIT_KERNEL(256, 2) linear_codes_warpgroup(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::WarpgroupTile>(a);
}

IVIT_KERNEL(128, 4) linear_codes_indices_medium(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::MediumTile, ivit::IndexLoader>(a);
}

IVIT_KERNEL(128, 4) linear_codes_indices_small(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::SmallTile, ivit::IndexLoader>(a);
}
