/* Back through a layer norm whose normalised values are given: of codes, or of reals. */
#pragma once

#include "walk.cuh"

namespace ivit {

/*
 * Adds a row's gradient by the input; a warp a row.
 *
 * normalised(v) is what a number of the row is before gamma and beta, factor one over the deviation.
 */
template <typename T, typename Normalised>
IVIT_DEVICE void norm_row_backward(
    Global<const T> row, Global<const float> gradient, Global<const float> gamma, Global<float> to,
    int channels, double factor, int lane, Normalised normalised) {
  double total = 0;
  double along = 0;
  for (int c = lane; c < channels; c += WARP) {
    double g = (double)gradient[c] * gamma[c];
    total += g;
    along += g * normalised(row[c]);
  }
  total = sum_of_warp(total) / channels;
  along = sum_of_warp(along) / channels;
  each_of_row<4>(channels, wide<4>(row, gradient, gamma, to), [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    auto values = load<N>(row + c);
    auto gradients = load<N>(gradient + c);
    auto gammas = load<N>(gamma + c);
    auto sums = load<N>(to + c);
#pragma unroll
    for (int k = 0; k < N; k++) {
      double g = (double)at(gradients, k) * at(gammas, k);
      double v = normalised(at(values, k));
      put(sums, k, (float)(at(sums, k) + (g - total - v * along) * factor));
    }
    store(to + c, sums);
  });
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
