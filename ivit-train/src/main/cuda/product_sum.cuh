/* Sums of the parts of products whose K was split, in order. */
#pragma once

#include "product.cuh"

IVIT_KERNEL(128, 8) product_sum(IVIT_ARGUMENTS(ivit::ProductArguments) a) {
  int column = (int)(blockIdx.x * blockDim.x + threadIdx.x) * 2;
  if (column >= a.columns) {
    return;
  }
  bool pair = column + 1 < a.columns;
  int number = a.first + (int)blockIdx.z;
  int64_t size = (int64_t)a.rows * a.columns;
  ivit::Global<float> c = ivit::matrix(a.c, number, a.heads, a.c_group, a.c_head);
  for (int row = (int)blockIdx.y; row < a.rows; row += (int)gridDim.y) {
    ivit::Global<float> from =
        a.partial + (number * a.splits * size + (int64_t)row * a.columns + column);
    float sum = 0.0f;
    float next = 0.0f;
#pragma unroll 4
    for (int split = 0; split < a.splits; split++) {
      sum += from[split * size];
      next += pair ? from[split * size + 1] : 0.0f;
    }
    ivit::write_sums(a, c + ((int64_t)row * a.c_stride + column), column, sum, next);
  }
}
