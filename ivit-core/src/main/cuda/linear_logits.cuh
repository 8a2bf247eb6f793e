/* Classifiers: 32-bit output, not clamped, the second head's added to the first's. */
#pragma once

#include "linear_indices.cuh"

namespace ivit {

/* The channels of a classifier are always wide, and its columns in the order of its outputs. */
template <typename Shape, template <typename> class Loader = StageLoader>
IVIT_DEVICE void linear_logits(const LinearArguments &a) {
  await_previous_grid();
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  Accumulator acc[Shape::m][Shape::n];
  accumulate<Shape, Loader>(a, shared_memory(), first_row, first_column, acc);
  if (slice_of_thread<Shape>() > 0) {
    return;
  }
  TilePlace place = tile_place<Shape>();
#pragma unroll
  for (int i = 0; i < Shape::m; i++) {
#pragma unroll
    for (int j = 0; j < Shape::n; j++) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int row = first_row + place.row + 16 * i + 8 * (k >> 1) + (place.lane >> 2);
        int column = first_column + place.column + 8 * j + 2 * (place.lane & 3) + (k & 1);
        if (row < a.rows && column < a.columns) {
          Channel c = channel_at(a.channels, column);
          int64_t logit = requantize_wide(acc[i][j].r[k] + c.bias, c.multiplier, c.shift);
          int64_t to = (int64_t)row * a.columns + column;
          a.logits[to] = (int32_t)logit + (a.accumulate != 0 ? a.logits[to] : 0);
        }
      }
    }
  }
}

}  // namespace ivit

IVIT_KERNEL(128, 4) linear_logits_medium(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_logits<ivit::MediumTile>(a);
}

IVIT_KERNEL(128, 4) linear_logits_small(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_logits<ivit::SmallTile>(a);
}

IVIT_KERNEL(512, 1) linear_logits_sliced(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_logits<ivit::SlicedTile>(a);
}

IVIT_KERNEL(128, 4) linear_logits_indices_medium(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_logits<ivit::MediumTile, ivit::IndexLoader>(a);
}

IVIT_KERNEL(128, 4) linear_logits_indices_small(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_logits<ivit::SmallTile, ivit::IndexLoader>(a);
}

IVIT_KERNEL(512, 1) linear_logits_indices_sliced(IVIT_ARGUMENTS(ivit::LinearArguments) a) {
  ivit::linear_logits<ivit::SlicedTile, ivit::IndexLoader>(a);
}
