/* Matrices turned: scores by token to scores by head, and back. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct SwapArguments {
  Global<const float> from; /* [groups][rows][columns] */
  Global<float> to;         /* [groups][columns][rows] */
  int64_t count;            /* numbers of all groups */
  int32_t rows;
  int32_t columns;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) swap_axes(IVIT_ARGUMENTS(ivit::SwapArguments) a) {
  int64_t size = (int64_t)a.rows * a.columns;
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    int place = (int)(i % size);
    int row = place % a.rows;
    int column = place / a.rows;
    a.to[i] = a.from[i / size * size + (int64_t)row * a.columns + column];
  }
}
