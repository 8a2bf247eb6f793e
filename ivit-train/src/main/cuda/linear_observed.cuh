/*
 * The engine's integer product with an epilogue for training: codes in the order of the graph, and
 * the extremes of each channel's accumulators.
 */
#pragma once

#include "linear.cuh"
#include "vectors.cuh"

namespace ivit {

struct ObservedLinearArguments {
  LinearArguments linear;     /* codes or stream receive [rows][columns] */
  Global<int32_t> least;      /* by column; or null */
  Global<int32_t> largest;
};

/*
 * Least and largest accumulator of each column of a tile, a row of them for each row of warps: each
 * place is written by one lane.
 */
template <typename Shape>
struct TileExtremes {
  enum { warps = Shape::rows / Shape::warp_rows, bytes = 8 * warps * Shape::columns };

  Shared<int32_t> least; /* [warps][columns] */
  Shared<int32_t> largest;

  IVIT_DEVICE explicit TileExtremes(Shared<unsigned char> memory)
      : least(as<int32_t>(memory)), largest(least + warps * Shape::columns) {}

  IVIT_DEVICE void set(const TilePlace &place, int column, int32_t low, int32_t high) {
    for (int lanes = 4; lanes < WARP; lanes *= 2) {
      int32_t other = shuffle_xor(low, lanes);
      low = other < low ? other : low;
      other = shuffle_xor(high, lanes);
      high = other > high ? other : high;
    }
    if (place.lane < 4) {
      int at = place.row / Shape::warp_rows * Shape::columns + column;
      least[at] = low;
      largest[at] = high;
    }
  }

  /* After a barrier. */
  IVIT_DEVICE void widen_columns(const ObservedLinearArguments &a, int first_column) const {
#pragma unroll 1
    for (int c = (int)threadIdx.x; c < Shape::columns; c += Shape::threads) {
      int32_t low = least[c];
      int32_t high = largest[c];
#pragma unroll
      for (int warp = 1; warp < warps; warp++) {
        int32_t other = least[warp * Shape::columns + c];
        low = other < low ? other : low;
        other = largest[warp * Shape::columns + c];
        high = other > high ? other : high;
      }
      int column = first_column + c;
      if (column < a.linear.columns && low <= high) {
        widen(a.least + column, a.largest + column, low, high);
      }
    }
  }
};

/* A tile of codes in shared memory, 16 bytes more a row, N at once. */
template <typename Shape, int N, typename Code>
IVIT_DEVICE void store_tile(
    const LinearArguments &a, Global<Code> out, Shared<Code> tile, int first_row,
    int first_column) {
  const int stride = Shape::columns + 16 / (int)sizeof(Code);
  const int pieces = Shape::columns / N;
  for (int i = (int)threadIdx.x; i < Shape::rows * pieces; i += Shape::threads) {
    int row = i / pieces;
    int column = i % pieces * N;
    if (first_row + row < a.rows && first_column + column < a.columns) {
      int64_t to = (int64_t)(first_row + row) * a.output_stride + first_column + column;
      store(out + to, *as<Some<Code, N>>(tile + (row * stride + column)));
    }
  }
}

/*
 * Shared memory: the stages of the product, then over them the tile's codes and the extremes of its
 * columns.
 */
template <typename Shape, typename Code>
IVIT_DEVICE void linear_observed(const ObservedLinearArguments &o, Global<Code> out) {
  const LinearArguments &a = o.linear;
  Shared<unsigned char> memory = shared_memory();
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape>(a, memory, first_row, first_column, acc);

  const int stride = Shape::columns + 16 / (int)sizeof(Code);
  static_assert(
      Shape::stages * Shape::stage_bytes
          >= Shape::rows * (stride * (int)sizeof(Code)) + TileExtremes<Shape>::bytes,
      "codes and extremes lie where the stages were");
  Shared<Code> tile = as<Code>(memory);
  TilePlace place = tile_place<Shape>();
  TileExtremes<Shape> extremes(as<unsigned char>(tile + Shape::rows * stride));
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
        extremes.set(place, column, least, largest);
      }
    }
  }
  block_barrier();
  if (present(o.least)) {
    extremes.widen_columns(o, first_column);
  }
  const int most = 16 / (int)sizeof(Code);
  if (ivit::wide<most>(out) && a.columns % most == 0 && a.output_stride % most == 0) {
    store_tile<Shape, most>(a, out, tile, first_row, first_column);
  } else {
    store_tile<Shape, 1>(a, out, tile, first_row, first_column);
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
