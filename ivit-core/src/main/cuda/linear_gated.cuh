/* The two products of SwiGLU as one, whose gates meet their values where it ends. */
#pragma once

#include "linear_epilogue.cuh"
#include "linear_indices.cuh"

namespace ivit {

/* Columns come in pairs of a gate and its value: one thread has both. */
struct GatedLinearArguments {
  LinearArguments linear;         /* codes or stream receive [rows][output_stride], a column a pair */
  Global<const int16_t> gates;    /* silu by offset code, [256] */
  Global<const Bytes16> products; /* FoldedChannel of gated values, [columns / 2, padded to 64] */
  int32_t wide;                   /* of these */
  int32_t unused;
};

enum { GATE_BYTES = 512 };

/* Codes that are stored at once. */
template <typename Code, int N>
struct alignas(N * sizeof(Code)) Packed {
  Code of[N];
};

IVIT_DEVICE Global<int8_t> gated_output(const LinearArguments &a, int8_t) { return a.codes; }

IVIT_DEVICE Global<int16_t> gated_output(const LinearArguments &a, int16_t) { return a.stream; }

template <typename Shape, typename Code, bool wide>
IVIT_DEVICE void gated_epilogue(
    const GatedLinearArguments &g, Shared<int16_t> gates, int first_row, int first_column,
    const Accumulator (&acc)[Shape::m][Shape::n]) {
  using P = Pieces<Shape>;
  using Piece = Packed<Code, P::pairs>;
  const LinearArguments &a = g.linear;
  P pieces;
  auto out = gated_output(a, Code());
#pragma unroll
  for (int piece = 0; piece < P::count; piece++) {
    int column = first_column + pieces.output + P::apart(piece);
    Piece codes[P::rows];
#pragma unroll
    for (int k = 0; k < P::pairs; k++) {
      FoldedChannel gate = folded_at(a.channels, column + 2 * k);
      FoldedChannel value = folded_at(a.channels, column + 2 * k + 1);
      FoldedChannel product = folded_at(g.products, column / 2 + k);
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
        const int32_t *sums = sums_at<Shape>(acc, r, piece, k);
        int32_t z = saturate8(requantized<wide>(sums[0], gate));
        int32_t x = saturate8(requantized<wide>(sums[1], value));
        int32_t gated = gates[z + 128] * x;
        codes[r].of[k] = narrowed(
            g.wide != 0 ? requantized<true>(gated, product) : requantized<false>(gated, product),
            Code());
      }
    }
    if (column / 2 >= a.output_stride) {
      return;
    }
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      int row = first_row + pieces.row + P::below(r);
      if (row < a.rows) {
        *as<Piece>(out + ((int64_t)row * a.output_stride + column / 2)) = codes[r];
      }
    }
  }
}

/* Shared memory: the table of gates, then the stages of the product. */
template <typename Shape, typename Code, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_gated(const GatedLinearArguments &g) {
  await_previous_grid();
  const LinearArguments &a = g.linear;
  Shared<int16_t> gates = as<int16_t>(shared_memory());
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  for (int i = (int)threadIdx.x; i < 256; i += Shape::threads) {
    gates[i] = g.gates[i];
  }
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, shared_memory() + GATE_BYTES, first_row, first_column, acc);
  if (a.wide == 0) {
    gated_epilogue<Shape, Code, false>(g, gates, first_row, first_column, acc);
  } else {
    gated_epilogue<Shape, Code, true>(g, gates, first_row, first_column, acc);
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
