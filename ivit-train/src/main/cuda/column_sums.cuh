/* Sums over rows in float64, in an order that does not change: partial sums, then theirs. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct ColumnSumArguments {
  Global<const float> from; /* [rows][stride] */
  Global<double> partial;   /* [gridDim.y][columns] */
  int64_t rows;
  int64_t stride;
  int32_t columns;
  int32_t rows_a_part;
};

struct PartialSumArguments {
  Global<const double> partial; /* [parts][stride] */
  Global<float> to;             /* [columns] */
  Global<const float> factors;  /* by column; or null */
  int32_t parts;
  int32_t columns;
  int32_t stride;
  int32_t added; /* whether to add to what is there */
};

}  // namespace ivit

IVIT_KERNEL(256, 4) column_sums(IVIT_ARGUMENTS(ivit::ColumnSumArguments) a) {
  int column = (int)(blockIdx.x * blockDim.x + threadIdx.x);
  if (column >= a.columns) {
    return;
  }
  int64_t first = (int64_t)blockIdx.y * a.rows_a_part;
  int64_t end = first + a.rows_a_part < a.rows ? first + a.rows_a_part : a.rows;
  double sum = 0;
  for (int64_t row = first; row < end; row++) {
    sum += a.from[row * a.stride + column];
  }
  a.partial[(int64_t)blockIdx.y * a.columns + column] = sum;
}

IVIT_KERNEL(256, 4) partial_sums(IVIT_ARGUMENTS(ivit::PartialSumArguments) a) {
#pragma unroll 1
  for (int64_t i = ivit::thread_number(); i < a.columns; i += ivit::thread_count()) {
    double sum = 0;
    for (int part = 0; part < a.parts; part++) {
      sum += a.partial[(int64_t)part * a.stride + i];
    }
    double value = ivit::present(a.factors) ? sum * a.factors[i] : sum;
    a.to[i] = (float)(a.added ? a.to[i] + value : value);
  }
}
