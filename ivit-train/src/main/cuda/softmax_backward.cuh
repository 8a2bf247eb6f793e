/* Back through Shiftmax, as through softmax at the probabilities that it gave. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct SoftmaxBackwardArguments {
  Global<const int16_t> probabilities; /* codes, [rows][length] */
  Global<float> gradient;              /* by them, then by the scores, [rows][length] */
  Global<float> values;                /* receives p where codes are divided by their sum; or null */
  double scale;                        /* of a code */
  int64_t rows;
  int32_t length;
  int32_t deferred; /* whether codes are divided by the sum of their row */
};

}  // namespace ivit

IVIT_KERNEL(256, 4) softmax_backward(IVIT_ARGUMENTS(ivit::SoftmaxBackwardArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto p = a.probabilities + row * a.length;
  auto g = a.gradient + row * a.length;
  double scale = a.scale;
  if (a.deferred) {
    double whole = 0;
    for (int i = lane; i < a.length; i += ivit::WARP) {
      whole += p[i];
    }
    scale = 1 / ivit::sum_of_warp(whole);
  }
  double sum = 0;
  for (int i = lane; i < a.length; i += ivit::WARP) {
    sum += g[i] * (p[i] * scale);
  }
  sum = ivit::sum_of_warp(sum);
  for (int i = lane; i < a.length; i += ivit::WARP) {
    g[i] = (float)((p[i] * scale) * (g[i] - sum));
  }
}

/* Codes of form deferred to the probabilities that they stand for. */
IVIT_KERNEL(256, 4) probabilities_of_codes(IVIT_ARGUMENTS(ivit::SoftmaxBackwardArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto p = a.probabilities + row * a.length;
  double whole = 0;
  for (int i = lane; i < a.length; i += ivit::WARP) {
    whole += p[i];
  }
  whole = ivit::sum_of_warp(whole);
  for (int i = lane; i < a.length; i += ivit::WARP) {
    a.values[row * a.length + i] = (float)(p[i] / whole);
  }
}
