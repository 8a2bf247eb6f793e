/*
 * The engine's integer product with an epilogue for training: codes in the order of the graph, and
 * the extremes of each channel's accumulators.
 */
#pragma once

#include "linear.cuh"
#include "reals.cuh"

namespace ivit {

struct ObservedLinearArguments {
  LinearArguments linear;     /* codes or stream receive [rows][columns] */
  Global<int32_t> least;      /* by column; or null */
  Global<int32_t> largest;
};

IVIT_DEVICE void observe_columns(
    const ObservedLinearArguments &a, int column, int32_t least, int32_t largest) {
  for (int lanes = 4; lanes < WARP; lanes *= 2) {
    int32_t low = (int32_t)shuffle_xor((uint32_t)least, lanes);
    int32_t high = (int32_t)shuffle_xor((uint32_t)largest, lanes);
    least = low < least ? low : least;
    largest = high > largest ? high : largest;
  }
  if ((int)threadIdx.x % WARP < 4 && column < a.linear.columns && least <= largest) {
    atomic_min(a.least + column, least);
    atomic_max(a.largest + column, largest);
  }
}

/* Shared memory: the stages of the product, then over them the tile's codes. */
template <typename Shape, typename Code>
IVIT_DEVICE void linear_observed(const ObservedLinearArguments &o, Global<Code> out) {
  const LinearArguments &a = o.linear;
  Shared<unsigned char> memory = shared_memory();
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape>(a, memory, first_row, first_column, acc);

  const int stride = Shape::columns + 16 / (int)sizeof(Code);
  Shared<Code> tile = as<Code>(memory);
  TilePlace place = tile_place<Shape>();
  bool wide = a.wide != 0;
#pragma unroll
  for (int j = 0; j < Shape::n; j++) {
#pragma unroll
    for (int k = 0; k < 2; k++) {
      int column = place.column + 8 * j + 2 * (place.lane & 3) + k;
      Channel c = channel_at(a.channels, first_column + column);
      int32_t least = INT32_MAX;
      int32_t largest = INT32_MIN;
#pragma unroll
      for (int i = 0; i < Shape::m; i++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
          int row = place.row + 16 * i + 8 * half + (place.lane >> 2);
          int32_t z = acc[i][j].r[2 * half + k] + c.bias;
          if (first_row + row < a.rows) {
            least = z < least ? z : least;
            largest = z > largest ? z : largest;
          }
          tile[row * stride + column] = narrowed(requantize(z, c, wide), Code());
        }
      }
      if (present(o.least)) {
        observe_columns(o, first_column + column, least, largest);
      }
    }
  }
  block_barrier();
  for (int i = (int)threadIdx.x; i < Shape::rows * Shape::columns; i += Shape::threads) {
    int row = i / Shape::columns;
    int column = i % Shape::columns;
    if (first_row + row < a.rows && first_column + column < a.columns) {
      out[(int64_t)(first_row + row) * a.output_stride + first_column + column] =
          tile[row * stride + column];
    }
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 2) linear_observed_8_warpgroup(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::WarpgroupTile>(a, a.linear.codes);
}

IVIT_KERNEL(256, 2) linear_observed_8_large(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::LargeTile>(a, a.linear.codes);
}

IVIT_KERNEL(128, 4) linear_observed_8_medium(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::MediumTile>(a, a.linear.codes);
}

IVIT_KERNEL(128, 4) linear_observed_8_small(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::SmallTile>(a, a.linear.codes);
}

IVIT_KERNEL(256, 2) linear_observed_16_warpgroup(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::WarpgroupTile>(a, a.linear.stream);
}

IVIT_KERNEL(256, 2) linear_observed_16_large(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::LargeTile>(a, a.linear.stream);
}

IVIT_KERNEL(128, 4) linear_observed_16_medium(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::MediumTile>(a, a.linear.stream);
}

IVIT_KERNEL(128, 4) linear_observed_16_small(IVIT_ARGUMENTS(ivit::ObservedLinearArguments) a) {
  ivit::linear_observed<ivit::SmallTile>(a, a.linear.stream);
}
