/* Matrices turned: scores by token to scores by head, and back. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct SwapArguments {
  Global<const float> from; /* [groups][rows][columns] */
  Global<float> to;         /* [groups][columns][rows] */
  int64_t groups;
  Divisor of_size; /* rows * columns */
  Divisor of_rows;
  int32_t rows;
  int32_t columns;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) swap_axes(IVIT_ARGUMENTS(ivit::SwapArguments) a) {
  int size = a.rows * a.columns;
  ivit::each_column<1>(a.groups, size, a.of_size, true, [&](int place, auto) {
    int column = (int)ivit::divide((uint32_t)place, a.of_rows);
    int row = place - column * a.rows;
    int from = row * a.columns + column;
    return [=, &a](int64_t group) { a.to[group * size + place] = a.from[group * size + from]; };
  });
}
