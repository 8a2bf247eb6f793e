/* Softmax of rows of reals with relative positions and masks of windows, and back; a warp a row. */
#pragma once

#include "cross_entropy.cuh"

namespace ivit {

struct RealSoftmaxArguments {
  Global<float> scores;         /* [groups][heads][length][length], then probabilities, in place */
  Global<const float> table;    /* relative positions, [positions][heads]; or null */
  Global<const int32_t> places; /* row of the table by query and key, [length][length] */
  Global<const int32_t> masks;  /* 1 where masked, [windows][length][length]; or null */
  Global<float> gradient;       /* by the probabilities, then by the scores; of the backward pass */
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
  int query = (int)(row % a.length);
  int head = (int)(row / a.length % a.heads);
  int window = (int)(row / a.length / a.heads % a.windows);
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
