/* Back through a layer norm whose normalised values are given: of codes, or of reals. */
#pragma once

#include "reals.cuh"

namespace ivit {

/*
 * Adds a row's gradient by the input; a warp a row.
 *
 * normalised(c) is the value before gamma and beta, factor one over the deviation.
 */
template <typename Normalised>
IVIT_DEVICE void norm_row_backward(
    Global<const float> gradient, Global<const float> gamma, Global<float> to, int channels,
    double factor, int lane, Normalised normalised) {
  double total = 0;
  double along = 0;
  for (int c = lane; c < channels; c += WARP) {
    double g = (double)gradient[c] * gamma[c];
    total += g;
    along += g * normalised(c);
  }
  total = sum_of_warp(total) / channels;
  along = sum_of_warp(along) / channels;
  for (int c = lane; c < channels; c += WARP) {
    double g = (double)gradient[c] * gamma[c];
    to[c] = (float)(to[c] + (g - total - normalised(c) * along) * factor);
  }
}

/*
 * Partial sums of the gradients by gamma and beta of a block's rows; a thread a channel.
 *
 * normalised(row, c) is the value before gamma and beta.
 */
template <typename Arguments, typename Normalised>
IVIT_DEVICE void norm_parameters_backward(const Arguments &a, Normalised normalised) {
  int c = (int)(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= a.channels) {
    return;
  }
  int64_t first = (int64_t)blockIdx.y * a.rows_a_part;
  int64_t end = first + a.rows_a_part < a.rows ? first + a.rows_a_part : a.rows;
  double gamma = 0;
  double beta = 0;
  for (int64_t row = first; row < end; row++) {
    double g = a.gradient[row * a.channels + c];
    gamma += g * normalised(row, c);
    beta += g;
  }
  a.gamma_partial[(int64_t)blockIdx.y * a.channels + c] = gamma;
  a.beta_partial[(int64_t)blockIdx.y * a.channels + c] = beta;
}

}  // namespace ivit
