/*
 * A matrix plus the product of a column and a row: what an offset of a linear layer's input codes
 * adds to the gradient of its weights.
 */
#pragma once

#include "reals.cuh"

namespace ivit {

struct OuterArguments {
  Global<const float> column; /* [rows] */
  Global<const float> row;    /* [columns] */
  Global<float> to;           /* [rows][columns] */
  int64_t count;
  int64_t columns;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) add_outer_product(IVIT_ARGUMENTS(ivit::OuterArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[i] = a.to[i] + a.column[i / a.columns] * a.row[i % a.columns];
  }
}
