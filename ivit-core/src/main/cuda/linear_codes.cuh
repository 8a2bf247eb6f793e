/* Linear layers with 8-bit output, with or without GELU by table. */
#pragma once

#include "linear_epilogue.cuh"
#include "linear_indices.cuh"

namespace ivit {

enum { GELU_BYTES = 512 };

/* The tables in the order of the bytes that look them up: offset codes have the sign bit flipped. */
IVIT_DEVICE void load_tables(const LinearArguments &a, Shared<unsigned char> tables) {
  int pieces = a.outlier_columns > 0 ? 32 : 16;
  if ((int)threadIdx.x < pieces) {
    as<Bytes16>(tables)[(int)threadIdx.x ^ 8] = as<const Bytes16>(a.tables)[threadIdx.x];
  }
}

/* Four codes through a table, 0 or 1. */
IVIT_DEVICE uint32_t gelu_codes(Shared<unsigned char> tables, uint32_t codes, uint32_t table) {
  uint32_t first = permute(
      tables[permute(codes, table, 0x5540u)], tables[permute(codes, table, 0x5541u)], 0x5540u);
  uint32_t second = permute(
      tables[permute(codes, table, 0x5542u)], tables[permute(codes, table, 0x5543u)], 0x5540u);
  return permute(first, second, 0x5410u);
}

/* Rows of codes of a thread. */
template <typename Shape>
struct CodeRows {
  using P = Pieces<Shape>;
  using Piece = Words<P::outputs / 4>;

  Piece codes[P::rows];

  /* Pair k, the last one first. */
  IVIT_DEVICE void set(int r, int k, int32_t first, int32_t second) {
    uint32_t &word = codes[r].r[k / 2];
    word = pack_codes8(first, second, k % 2 == 0 ? word : 0);
  }

  IVIT_DEVICE void store(const LinearArguments &a, int first_row, int output) const {
    if (output >= a.output_stride) {
      return;
    }
    auto to = as<Piece>(a.codes + ((int64_t)first_row * a.output_stride + output));
    int distance = a.output_stride / (int)sizeof(Piece);
#pragma unroll
    for (int r = 0; r < P::rows; r++) {
      if (first_row + P::below(r) < a.rows) {
        to[P::below(r) * distance] = codes[r];
      }
    }
  }
};

template <typename Shape, bool wide, bool gelu>
IVIT_DEVICE void codes_epilogue(
    const LinearArguments &a, Shared<unsigned char> tables, int first_row, int first_column,
    const Accumulator (&acc)[Shape::m][Shape::n]) {
  using P = Pieces<Shape>;
  P pieces;
#pragma unroll
  for (int piece = 0; piece < P::count; piece++) {
    int output = first_column + pieces.output + P::apart(piece);
    CodeRows<Shape> rows;
#pragma unroll
    for (int k = P::pairs - 1; k >= 0; k--) {
      FoldedChannel c0 = folded_at(a.channels, output + 2 * k);
      FoldedChannel c1 = folded_at(a.channels, output + 2 * k + 1);
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
        const int32_t *sums = sums_at<Shape>(acc, r, piece, k);
        rows.set(r, k, requantized<wide>(sums[0], c0), requantized<wide>(sums[1], c1));
      }
    }
    if constexpr (gelu) {
      uint32_t table = output < a.outlier_columns ? 1 : 0;
#pragma unroll
      for (int r = 0; r < P::rows; r++) {
#pragma unroll
        for (int w = 0; w < P::outputs / 4; w++) {
          rows.codes[r].r[w] = gelu_codes(tables, rows.codes[r].r[w], table);
        }
      }
    }
    rows.store(a, first_row + pieces.row, output);
  }
}

/* The same, whatever the layer is. */
template <typename Shape>
IVIT_DEVICE void codes_epilogue(
    const LinearArguments &a, Shared<unsigned char> tables, int first_row, int first_column,
    const Accumulator (&acc)[Shape::m][Shape::n]) {
  bool gelu = present(a.tables);
  if (a.wide == 0) {
    if (gelu) {
      codes_epilogue<Shape, false, true>(a, tables, first_row, first_column, acc);
    } else {
      codes_epilogue<Shape, false, false>(a, tables, first_row, first_column, acc);
    }
  } else if (gelu) {
    codes_epilogue<Shape, true, true>(a, tables, first_row, first_column, acc);
  } else {
    codes_epilogue<Shape, true, false>(a, tables, first_row, first_column, acc);
  }
}

/* Shared memory: GELU's tables, then the stages of the product. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_codes(const LinearArguments &a) {
  await_previous_grid();
  Shared<unsigned char> tables = shared_memory();
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  if (present(a.tables)) {
    load_tables(a, tables);
  }
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, tables + GELU_BYTES, first_row, first_column, acc);
  if (slice_of_thread<Shape>() > 0) {
    return;
  }
  codes_epilogue<Shape>(a, tables, first_row, first_column, acc);
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

IVIT_KERNEL(512, 1) linear_codes_sliced(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::SlicedTile>(a);
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

IVIT_KERNEL(512, 1) linear_codes_indices_sliced(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_codes<ivit::SlicedTile, ivit::IndexLoader>(a);
}
