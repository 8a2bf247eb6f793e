/* The two products of SwiGLU as one, whose gates meet their values where it ends. */
#pragma once

#include "linear_indices.cuh"

namespace ivit {

/* Columns come in pairs of a gate and its value: one thread has both. */
struct GatedLinearArguments {
  LinearArguments linear;         /* codes or stream receive [rows][output_stride], a column a pair */
  Global<const int16_t> gates;    /* silu by offset code, [256] */
  Global<const Bytes16> products; /* Channel of gated values, [columns / 2, padded to 64] */
  int32_t wide;                   /* of these */
  int32_t unused;
};

enum { GATE_BYTES = 512 };

IVIT_DEVICE Global<int8_t> gated_output(const LinearArguments &a, int8_t) { return a.codes; }

IVIT_DEVICE Global<int16_t> gated_output(const LinearArguments &a, int16_t) { return a.stream; }

/* Shared memory: the table of gates, then the stages of the product, then over them the tile's codes. */
template <typename Shape, typename Code, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_gated(const GatedLinearArguments &g) {
  await_previous_grid();
  const LinearArguments &a = g.linear;
  Shared<int16_t> gates = as<int16_t>(shared_memory());
  Shared<unsigned char> memory = shared_memory() + GATE_BYTES;
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  for (int i = (int)threadIdx.x; i < 256; i += Shape::threads) {
    gates[i] = g.gates[i];
  }
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, memory, first_row, first_column, acc);

  /* 16 bytes more a row keep the lanes of a store in different banks. */
  const int width = Shape::columns / 2;
  const int stride = width + 16 / (int)sizeof(Code);
  Shared<Code> tile = as<Code>(memory);
  TilePlace place = tile_place<Shape>();
  bool wide = a.wide != 0;
#pragma unroll
  for (int j = 0; j < Shape::n; j++) {
    int column = place.column + 8 * j + 2 * (place.lane & 3);
    Channel gate = channel_at(a.channels, first_column + column);
    Channel value = channel_at(a.channels, first_column + column + 1);
    Channel product = channel_at(g.products, (first_column + column) / 2);
#pragma unroll
    for (int i = 0; i < Shape::m; i++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int row = place.row + 16 * i + 8 * half + (place.lane >> 2);
        int32_t z = saturate8(requantize(acc[i][j].r[2 * half] + gate.bias, gate, wide));
        int32_t x = saturate8(requantize(acc[i][j].r[2 * half + 1] + value.bias, value, wide));
        tile[row * stride + column / 2] =
            narrowed(requantize(gates[z + 128] * x, product, g.wide != 0), Code());
      }
    }
  }
  block_barrier();
  auto out = gated_output(a, Code());
  const int chunk = 16 / (int)sizeof(Code);
  const int chunks = width / chunk;
  const int pieces = Shape::rows * chunks;
  for (int i = (int)threadIdx.x; i < pieces; i += Shape::threads) {
    int row = i / chunks;
    int column = i % chunks * chunk;
    if (first_row + row < a.rows && first_column / 2 + column < a.output_stride) {
      Bytes16 codes = *as<Bytes16>(tile + (row * stride + column));
      int64_t to = (int64_t)(first_row + row) * a.output_stride + first_column / 2 + column;
      *as<Bytes16>(out + to) = codes;
    }
  }
}

}  // namespace ivit

#define IVIT_LINEAR_GATED(name, threads, blocks, shape, loader)          \
  IVIT_KERNEL(threads, blocks)                                           \
  linear_gated_8_##name(IVIT_ARGUMENTS(ivit::GatedLinearArguments) a) {  \
    ivit::linear_gated<ivit::shape, int8_t, ivit::loader>(a);            \
  }                                                                      \
  IVIT_KERNEL(threads, blocks)                                           \
  linear_gated_16_##name(IVIT_ARGUMENTS(ivit::GatedLinearArguments) a) { \
    ivit::linear_gated<ivit::shape, int16_t, ivit::loader>(a);           \
  }

IVIT_LINEAR_GATED(large, 256, 2, LargeTile, StageLoader)
IVIT_LINEAR_GATED(medium, 128, 4, MediumTile, StageLoader)
IVIT_LINEAR_GATED(small, 128, 4, SmallTile, StageLoader)
IVIT_LINEAR_GATED(warpgroup, 256, 2, WarpgroupTile, StageLoader)
IVIT_LINEAR_GATED(indices_medium, 128, 4, MediumTile, IndexLoader)
IVIT_LINEAR_GATED(indices_small, 128, 4, SmallTile, IndexLoader)

#undef IVIT_LINEAR_GATED
