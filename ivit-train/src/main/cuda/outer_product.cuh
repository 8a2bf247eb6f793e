/*
 * A matrix plus the product of a column and a row: what an offset of a linear layer's input codes
 * adds to the gradient of its weights.
 */
#pragma once

#include "walk.cuh"

namespace ivit {

struct OuterArguments {
  Global<const float> column; /* [rows] */
  Global<const float> row;    /* [columns] */
  Global<float> to;           /* [rows][columns] */
  int64_t rows;
  Divisor of_columns;
  int32_t columns;
  int32_t unused;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) add_outer_product(IVIT_ARGUMENTS(ivit::OuterArguments) a) {
  ivit::each_column<4>(a.rows, a.columns, a.of_columns, ivit::wide<4>(a.to), [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    ivit::Some<float, N> row;
#pragma unroll
    for (int k = 0; k < N; k++) {
      put(row, k, a.row[c + k]);
    }
    return [=, &a](int64_t r) {
      float column = a.column[r];
      auto at_row = a.to + (r * a.columns + c);
      auto to = ivit::load<N>(at_row);
#pragma unroll
      for (int k = 0; k < N; k++) {
        put(to, k, at(to, k) + column * at(row, k));
      }
      ivit::store(at_row, to);
    };
  });
}
