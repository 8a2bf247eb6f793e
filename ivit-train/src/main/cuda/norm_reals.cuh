/* Layer norm of reals for training in floating point, forward and back; a warp a row. */
#pragma once

#include "norm_gradient.cuh"

namespace ivit {

/* What the backward pass needs of a row. */
struct alignas(16) RealNormRow {
  double mean;
  double factor; /* one over the deviation */
};

struct RealNormArguments {
  Global<const float> from;     /* [rows][from_stride] */
  Global<float> to;             /* [rows][channels]; of the forward pass */
  Global<RealNormRow> kept;     /* [rows] */
  Global<const float> gamma;
  Global<const float> beta;
  Global<const float> gradient; /* by the output, [rows][channels]; of the backward pass */
  Global<float> gradient_to;    /* by the input, added, [rows][from_stride] */
  Global<double> gamma_partial; /* [gridDim.y][channels] */
  Global<double> beta_partial;
  double epsilon;
  int64_t rows;
  int64_t from_stride;
  int32_t channels;
  int32_t rows_a_part;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) norm_reals(IVIT_ARGUMENTS(ivit::RealNormArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto from = a.from + row * a.from_stride;
  auto to = a.to + row * a.channels;
  double sum = 0;
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    sum += from[c];
  }
  double mean = ivit::sum_of_warp(sum) / a.channels;
  double squares = 0;
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    double d = from[c] - mean;
    squares += d * d;
  }
  double factor = 1 / ivit::root_of(ivit::sum_of_warp(squares) / a.channels + a.epsilon);
  ivit::each_of_row<4>(a.channels, ivit::wide<4>(from, to, a.gamma, a.beta), [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    auto v = ivit::load<N>(from + c);
    auto gamma = ivit::load<N>(a.gamma + c);
    auto beta = ivit::load<N>(a.beta + c);
#pragma unroll
    for (int k = 0; k < N; k++) {
      put(v, k, (float)((at(v, k) - mean) * factor * at(gamma, k) + at(beta, k)));
    }
    ivit::store(to + c, v);
  });
  if (lane == 0) {
    a.kept[row] = ivit::RealNormRow{mean, factor};
  }
}

/* The gradient by the input. */
IVIT_KERNEL(256, 4) norm_reals_backward(IVIT_ARGUMENTS(ivit::RealNormArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  ivit::RealNormRow s = a.kept[row];
  auto from = a.from + row * a.from_stride;
  ivit::norm_row_backward(
      from, a.gradient + row * a.channels, a.gamma, a.gradient_to + row * a.from_stride, a.channels,
      s.factor, lane, [&](float x) { return (x - s.mean) * s.factor; });
}

/* Partial sums of the gradients by gamma and beta; a thread a channel. */
IVIT_KERNEL(256, 4) norm_reals_parameters(IVIT_ARGUMENTS(ivit::RealNormArguments) a) {
  ivit::norm_parameters_backward(a, [&](int64_t row, int c) {
    ivit::RealNormRow s = a.kept[row];
    return (a.from[row * a.from_stride + c] - s.mean) * s.factor;
  });
}
