/* Softmax of rows of reals with relative positions and masks of windows, and back; a warp a row. */
#pragma once

#include "cross_entropy.cuh"
#include "divide.cuh"

namespace ivit {

struct RealSoftmaxArguments {
  Global<float> scores;         /* [groups][heads][length][length], then probabilities, in place */
  Global<const float> table;    /* relative positions, [positions][heads]; or null */
  Global<const int32_t> places; /* row of the table by query and key, [length][length] */
  Global<const int32_t> masks;  /* 1 where masked, [windows][length][length]; or null */
  Global<float> gradient;       /* by the probabilities, then by the scores; of the backward pass */
  Divisor of_length;
  Divisor of_heads;
  Divisor of_windows;
  int64_t rows;
  int32_t length;
  int32_t heads;
  int32_t windows;
  int32_t unused;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) softmax_reals(IVIT_ARGUMENTS(ivit::RealSoftmaxArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto x = a.scores + row * a.length;
  int of_groups = (int)ivit::divide((uint32_t)row, a.of_length);
  int group = (int)ivit::divide((uint32_t)of_groups, a.of_heads);
  int query = (int)row - of_groups * a.length;
  int head = of_groups - group * a.heads;
  int window = group - (int)ivit::divide((uint32_t)group, a.of_windows) * a.windows;
  double largest = -ivit::INFINITE;
  for (int i = lane; i < a.length; i += ivit::WARP) {
    float v = x[i];
    if (ivit::present(a.table)) {
      int pair = query * a.length + i;
      v += a.table[a.places[pair] * a.heads + head];
      if (ivit::present(a.masks) && a.masks[window * a.length * a.length + pair] != 0) {
        v = -ivit::INFINITE;
      }
      x[i] = v;
    }
    largest = v > largest ? v : largest;
  }
  largest = ivit::largest_of_warp(largest);
  double sum = 0;
  for (int i = lane; i < a.length; i += ivit::WARP) {
    double e = ivit::exp_of(x[i] - largest);
    sum += e;
    x[i] = (float)e;
  }
  double factor = 1 / ivit::sum_of_warp(sum);
  for (int i = lane; i < a.length; i += ivit::WARP) {
    x[i] = (float)(x[i] * factor);
  }
}

IVIT_KERNEL(256, 4) softmax_reals_backward(IVIT_ARGUMENTS(ivit::RealSoftmaxArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto p = a.scores + row * a.length;
  auto g = a.gradient + row * a.length;
  double sum = 0;
  for (int i = lane; i < a.length; i += ivit::WARP) {
    sum += (double)g[i] * p[i];
  }
  sum = ivit::sum_of_warp(sum);
  for (int i = lane; i < a.length; i += ivit::WARP) {
    g[i] = (float)(p[i] * (g[i] - sum));
  }
}
