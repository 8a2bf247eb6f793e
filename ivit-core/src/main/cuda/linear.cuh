/* A linear layer: its arguments, and the tile of accumulators that its epilogues begin with. */
#pragma once

#include "requantize.cuh"
#include "rows.cuh"
#include "warpgroup.cuh"
#include "weight_indices.cuh"

namespace ivit {

enum { DEPTH = 64 /* bytes along K of a stage of the pipeline */ };

/*
 * Inputs come with their outlier channels first, padded to whole steps of 32, then the rest: the
 * accumulators are moved left by outlier_shift after outlier_steps steps. Weights are padded with
 * zeros to whole tiles, so what lies in an input's padding does not matter.
 */
struct LinearArguments {
  Global<const int8_t> input;     /* [rows][input_stride] */
  Global<const int8_t> weight;    /* [columns, padded to 128][depth]; or null, with indices */
  Global<const Bytes16> channels; /* FoldedChannel, or Channel of logits and of
                                     kernels that observe, [columns, padded to 128] */
  Global<int8_t> codes;           /* 8-bit output, [rows][output_stride] */
  Global<const uint8_t> tables;   /* GELU, [256] or [512] by offset code; or null */
  Global<const int16_t> identity; /* 16-bit codes that are added; or null */
  Global<int16_t> stream;         /* 16-bit output, [tokens][output_stride] */
  Global<int32_t> logits;         /* 32-bit output, [rows][columns] */
  RowMap map;                     /* rows to tokens of the stream */
  Adder adder;
  IndexArguments indices; /* in place of weight, of kernels that decode them */
  int32_t rows;
  int32_t columns;
  int32_t depth; /* a multiple of 64 */
  int32_t input_stride;
  int32_t output_stride; /* elements: a multiple of 64 of codes, of 8 of a stream */
  int32_t outlier_steps;
  int32_t outlier_shift;
  int32_t wide;
  int32_t outlier_columns; /* the first columns, which take the second GELU table, as may padding
                              behind them to the next step of 32 */
  int32_t bits;            /* of what goes to a stream before it is added: 8 or 16 */
  int32_t identity_stride; /* tokens of the identity from one group of the map to the next */
  int32_t accumulate;      /* whether logits are added to those that are there */
};

/*
 * A block's tile and how its warps share it. With more than one slice, as many groups of threads
 * multiply the whole tile over a part of K each, in stages of their own, and add what they have.
 */
template <int R, int C, int WR, int WC, int S, int G = 1>
struct TileShape {
  enum {
    rows = R,
    columns = C,
    warp_rows = WR,
    warp_columns = WC,
    stages = S,
    slices = G,
    threads = (R / WR) * (C / WC) * WARP, /* of a slice */
    m = WR / 16,
    n = WC / 8,
    warpgroups = WR == 16 && WC == 128 ? 1 : 0,
    stage_bytes = (R + C) * DEPTH
  };
};

using LargeTile = TileShape<128, 128, 64, 32, 3>;
/* Four warps, one below the other, multiply together where there is wgmma. */
using WarpgroupTile = TileShape<128, 128, 16, 128, 4>;
using MediumTile = TileShape<64, 64, 32, 32, 4>;
using SmallTile = TileShape<32, 32, 16, 16, 4>;
using SlicedTile = TileShape<32, 32, 16, 16, 3, 4>;

/* A tile of a warpgroup that has others beside it. */
struct GroupTile : TileShape<64, 128, 16, 128, 1> {};

/* Whether other threads of the block have tiles of their own. */
template <typename Shape>
constexpr bool SHARES_BLOCK = false;

template <>
constexpr bool SHARES_BLOCK<GroupTile> = true;

/* The slice of a thread; the first one has the sums in the end. */
template <typename Shape>
IVIT_DEVICE int slice_of_thread() {
  return Shape::slices == 1 ? 0 : (int)threadIdx.x / Shape::threads;
}

/* A thread's number among those of its slice, or of its tile where the block has several. */
template <typename Shape>
IVIT_DEVICE int thread_of_slice() {
  return Shape::slices == 1 && !SHARES_BLOCK<Shape> ? (int)threadIdx.x
                                                    : (int)threadIdx.x % Shape::threads;
}

/* Where a thread stands in its block's tile. */
struct TilePlace {
  int row;    /* first of the warp */
  int column; /* first of the warp */
  int lane;
};

template <typename Shape>
IVIT_DEVICE TilePlace tile_place() {
  int warp = (int)threadIdx.x / WARP;
  const int across = Shape::columns / Shape::warp_columns;
  const int down = Shape::rows / Shape::warp_rows;
  return TilePlace{
      warp / across % down * Shape::warp_rows, warp % across * Shape::warp_columns,
      (int)threadIdx.x % WARP};
}

/*
 * A row's 16-byte chunk in a stage, swizzled so that eight rows of one chunk lie in all banks: the
 * 64-byte swizzle of wgmma, bits 4 and 5 of the address by bits 7 and 8.
 */
IVIT_DEVICE int chunk_at(int row, int chunk) {
  return row * DEPTH + ((chunk ^ ((row >> 1) & 3)) << 4);
}

/*
 * A thread's share in filling stages: one chunk of every so many rows, the same ones each time. The
 * distance between those rows is a multiple of 8, so they are swizzled alike.
 */
template <typename Shape>
struct StageShare {
  enum {
    chunks = DEPTH / 16,
    distance = Shape::threads / chunks,
    inputs = Shape::rows / distance,
    weights = Shape::columns / distance
  };
  static_assert(distance % 8 == 0 && Shape::rows % distance == 0, "rows are shared out evenly");
  static_assert(Shape::columns % distance == 0, "columns are shared out evenly");

  IVIT_DEVICE static int row() { return thread_of_slice<Shape>() / chunks; }

  IVIT_DEVICE static int chunk() { return thread_of_slice<Shape>() % chunks; }

  /* The first of its chunks of inputs. */
  IVIT_DEVICE static Shared<unsigned char> input_of(Shared<unsigned char> stage) {
    return stage + chunk_at(row(), chunk());
  }

  /* The first of its chunks of weights. */
  IVIT_DEVICE static Shared<unsigned char> weight_of(Shared<unsigned char> stage) {
    return input_of(stage + Shape::rows * DEPTH);
  }
};

/* Copies the inputs of a stage. */
template <typename Shape>
struct InputLoader {
  using Share = StageShare<Shape>;

  Global<const int8_t> input[Share::inputs];
  bool valid[Share::inputs];

  IVIT_DEVICE InputLoader(const LinearArguments &a, int first_row) {
#pragma unroll
    for (int n = 0; n < Share::inputs; n++) {
      int from = first_row + Share::row() + n * Share::distance;
      valid[n] = from < a.rows;
      input[n] = a.input + ((int64_t)(valid[n] ? from : 0) * a.input_stride + Share::chunk() * 16);
    }
  }

  IVIT_DEVICE void load(Shared<unsigned char> stage, int tile) const {
    Shared<unsigned char> to = Share::input_of(stage);
#pragma unroll
    for (int n = 0; n < Share::inputs; n++) {
      copy16(to + n * Share::distance * DEPTH, input[n] + tile * DEPTH, valid[n]);
    }
  }
};

/* Copies the inputs and the weights of a stage; one that is loaded is finished before a barrier. */
template <typename Shape>
struct StageLoader {
  using Share = StageShare<Shape>;

  InputLoader<Shape> input;
  Global<const int8_t> weight;
  int64_t weight_distance;

  IVIT_DEVICE StageLoader(const LinearArguments &a, int first_row, int first_column)
      : input(a, first_row) {
    weight = a.weight + ((int64_t)(first_column + Share::row()) * a.depth + Share::chunk() * 16);
    weight_distance = (int64_t)Share::distance * a.depth;
  }

  IVIT_DEVICE void load(const LinearArguments &, Shared<unsigned char> stage, int tile) const {
    input.load(stage, tile);
    Shared<unsigned char> to = Share::weight_of(stage);
#pragma unroll
    for (int n = 0; n < Share::weights; n++) {
      copy16(
          to + n * Share::distance * DEPTH, weight + (n * weight_distance + tile * DEPTH), true);
    }
  }

  IVIT_DEVICE void finish(const LinearArguments &, Shared<unsigned char>) const {}
};

template <typename Shape>
IVIT_DEVICE void shift_left(Accumulator (&acc)[Shape::m][Shape::n], int shift) {
#pragma unroll
  for (int i = 0; i < Shape::m; i++) {
#pragma unroll
    for (int j = 0; j < Shape::n; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        acc[i][j].r[k] = (int32_t)((uint32_t)acc[i][j].r[k] << shift);
      }
    }
  }
}

/* One step of 32 bytes along K of a warp, from fragments in its registers. */
template <typename Shape>
IVIT_DEVICE void multiply_fragments(
    Shared<unsigned char> stage, const TilePlace &place, int step,
    Accumulator (&acc)[Shape::m][Shape::n]) {
  Left left[Shape::m];
#pragma unroll
  for (int i = 0; i < Shape::m; i++) {
    int row = place.row + 16 * i;
    load_matrices(left[i].r, [=](int matrix, int r) {
      return stage + chunk_at(row + (matrix & 1) * 8 + r, 2 * step + (matrix >> 1));
    });
  }
  Shared<unsigned char> weights = stage + Shape::rows * DEPTH;
#pragma unroll
  for (int j = 0; j < Shape::n; j += 2) {
    uint32_t both[4];
    int column = place.column + 8 * j;
    load_matrices(both, [=](int matrix, int r) {
      return weights + chunk_at(column + (matrix >> 1) * 8 + r, 2 * step + (matrix & 1));
    });
    Right first = {{both[0], both[1]}};
    Right second = {{both[2], both[3]}};
#pragma unroll
    for (int i = 0; i < Shape::m; i++) {
      multiply(acc[i][j], left[i], first);
      multiply(acc[i][j + 1], left[i], second);
    }
  }
}

/* Products are complete; until then accumulators must not be read, nor stages written. */
template <typename Shape>
IVIT_DEVICE void finish_products(Accumulator (&acc)[Shape::m][Shape::n]) {
  products_done();
  if constexpr (Shape::warpgroups != 0) {
    warpgroup_done(acc[0]);
  }
}

/* One step of 32 bytes along K of a warp. */
template <typename Shape>
IVIT_DEVICE void multiply_step(
    Shared<unsigned char> stage, const TilePlace &place, int step,
    Accumulator (&acc)[Shape::m][Shape::n]) {
  if constexpr (Shape::warpgroups != 0 && HAS_WARPGROUPS) {
    /* The rows of the group's first warp. */
    warpgroup_multiply(
        acc[0], stage + (place.row & ~63) * DEPTH + step * K_STEP,
        stage + Shape::rows * DEPTH + step * K_STEP);
  } else {
    multiply_fragments<Shape>(stage, place, step, acc);
  }
}

/*
 * A stage, which begins at a step of K. Warpgroups have none of their products under way at its end,
 * nor where accumulators are moved: the compiler would else wait for each product by itself.
 */
template <typename Shape>
IVIT_DEVICE void multiply_stage(
    const LinearArguments &a, Shared<unsigned char> stage, const TilePlace &place, int begin,
    Accumulator (&acc)[Shape::m][Shape::n]) {
  static_assert(DEPTH == 2 * K_STEP, "two steps a stage");
  if (a.outlier_steps > 0 && a.outlier_steps == begin) {
    finish_products<Shape>(acc);
    shift_left<Shape>(acc, a.outlier_shift);
  }
  if (a.outlier_steps == begin + 1) {
    multiply_step<Shape>(stage, place, 0, acc);
    finish_products<Shape>(acc);
    shift_left<Shape>(acc, a.outlier_shift);
    multiply_step<Shape>(stage, place, 1, acc);
  } else {
    multiply_step<Shape>(stage, place, 0, acc);
    multiply_step<Shape>(stage, place, 1, acc);
  }
  if constexpr (Shape::warpgroups != 0) {
    finish_products<Shape>(acc);
  }
}

/* A thread's own places of 16 bytes in memory, each so far behind the one before. */
template <typename Shape>
struct OwnPlaces {
  enum { distance = Shape::threads * (int)sizeof(Bytes16) };

  IVIT_DEVICE static Shared<unsigned char> first(Shared<unsigned char> memory) {
    return memory + thread_of_slice<Shape>() * (int)sizeof(Bytes16);
  }
};

/* Adds the accumulators of all slices to those of the first, through memory that is free. */
template <typename Shape>
IVIT_DEVICE void sum_slices(Shared<unsigned char> memory, Accumulator (&acc)[Shape::m][Shape::n]) {
  const int distance = OwnPlaces<Shape>::distance;
  static_assert(
      (Shape::slices - 1) * Shape::m * Shape::n * distance
          <= Shape::slices * Shape::stages * Shape::stage_bytes,
      "accumulators fit where stages were");
  Shared<unsigned char> own = OwnPlaces<Shape>::first(memory);
  int slice = slice_of_thread<Shape>();
#pragma unroll
  for (int i = 0; i < Shape::m * Shape::n; i++) {
    const Accumulator &c = acc[i / Shape::n][i % Shape::n];
    if (slice > 0) {
      *as<Bytes16>(own + ((slice - 1) * Shape::m * Shape::n + i) * distance) = Bytes16{
          {(uint32_t)c.r[0], (uint32_t)c.r[1], (uint32_t)c.r[2], (uint32_t)c.r[3]}};
    }
  }
  block_barrier();
  if (slice > 0) {
    return;
  }
#pragma unroll
  for (int i = 0; i < (Shape::slices - 1) * Shape::m * Shape::n; i++) {
    Bytes16 other = *as<Bytes16>(own + i * distance);
    Accumulator &c = acc[i / Shape::n % Shape::m][i % Shape::n];
#pragma unroll
    for (int k = 0; k < 4; k++) {
      c.r[k] = (int32_t)((uint32_t)c.r[k] + other.r[k]);
    }
  }
}

/*
 * The accumulators of a tile without bias, whole in the first slice. `memory` holds Shape::stages
 * stages a slice, free afterwards.
 */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void accumulate(
    const LinearArguments &a, Shared<unsigned char> memory, int first_row, int first_column,
    Accumulator (&acc)[Shape::m][Shape::n]) {
  TilePlace place = tile_place<Shape>();
#pragma unroll
  for (int i = 0; i < Shape::m; i++) {
#pragma unroll
    for (int j = 0; j < Shape::n; j++) {
      acc[i][j] = Accumulator{{0, 0, 0, 0}};
    }
  }
  Loader<Shape> loader(a, first_row, first_column);
  const int end = Shape::stages * Shape::stage_bytes;
  int slice = slice_of_thread<Shape>();
  Shared<unsigned char> stages = memory + slice * end;
  /* All slices go round equally often, as barriers are the block's. */
  int rounds = (a.depth / DEPTH + Shape::slices - 1) / Shape::slices;
  int begin = slice * rounds;
  int tiles = a.depth / DEPTH - begin;
  tiles = tiles < rounds ? tiles : rounds;
#pragma unroll
  for (int tile = 0; tile < Shape::stages - 1; tile++) {
    if (tile < tiles) {
      loader.load(a, stages + tile * Shape::stage_bytes, begin + tile);
      loader.finish(a, stages + tile * Shape::stage_bytes);
    }
    copies_commit();
  }
  int full = 0;
  int empty = (Shape::stages - 1) * Shape::stage_bytes;
#pragma unroll 1
  for (int tile = 0; tile < rounds; tile++) {
    copies_done<Shape::stages - 2>();
    if constexpr (Shape::warpgroups != 0) {
      copies_to_warpgroups();
    }
    block_barrier();
    /* Into the stage that every warp left before this barrier. */
    int next = tile + Shape::stages - 1;
    if (next < tiles) {
      loader.load(a, stages + empty, begin + next);
    }
    copies_commit();
    if (Shape::slices == 1 || tile < tiles) {
      multiply_stage<Shape>(a, stages + full, place, (begin + tile) * (DEPTH / K_STEP), acc);
    }
    if (next < tiles) {
      loader.finish(a, stages + empty);
    }
    full = full + Shape::stage_bytes == end ? 0 : full + Shape::stage_bytes;
    empty = empty + Shape::stage_bytes == end ? 0 : empty + Shape::stage_bytes;
  }
  finish_products<Shape>(acc);
  if (a.outlier_steps > 0 && a.outlier_steps >= (begin + tiles) * (DEPTH / K_STEP)) {
    shift_left<Shape>(acc, a.outlier_shift);
  }
  copies_done<0>();
  block_barrier();
  if constexpr (Shape::slices > 1) {
    sum_slices<Shape>(memory, acc);
  }
}

}  // namespace ivit
