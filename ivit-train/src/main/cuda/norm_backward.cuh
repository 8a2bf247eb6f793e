/* Back through I-LayerNorm, straight through its rounding. */
#pragma once

#include "norm_gradient.cuh"
#include "norm_observed.cuh"

namespace ivit {

struct NormBackwardArguments {
  Global<const int16_t> from;    /* codes of the forward pass, [rows][channels] */
  Global<const NormRow> kept;    /* of the forward pass */
  Global<const float> gradient;  /* by the output, [rows][channels] */
  Global<float> to;              /* by the input, added, [rows][to_stride] */
  Global<const float> gamma;
  Global<double> gamma_partial;  /* [gridDim.y][channels] */
  Global<double> beta_partial;
  double root_of_channels;
  double input_scale;
  int64_t rows;
  int64_t to_stride;
  int32_t channels;
  int32_t rows_a_part;
};

}  // namespace ivit

/* The gradient by the input; a warp a row. */
IVIT_KERNEL(256, 4) norm_backward(IVIT_ARGUMENTS(ivit::NormBackwardArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  ivit::NormRow s = a.kept[row];
  auto from = a.from + row * a.channels;
  double unit = a.root_of_channels / 1073741824.0;
  ivit::norm_row_backward(
      from, a.gradient + row * a.channels, a.gamma, a.to + row * a.to_stride, a.channels,
      a.root_of_channels / (a.input_scale * s.root), lane,
      [&](int16_t x) { return ivit::normalised(s, x) * unit; });
}

/* Partial sums of the gradients by gamma and beta; a thread a channel. */
IVIT_KERNEL(256, 4) norm_parameters_backward(IVIT_ARGUMENTS(ivit::NormBackwardArguments) a) {
  double unit = a.root_of_channels / 1073741824.0;
  ivit::norm_parameters_backward(a, [&](int64_t row, int c) {
    return ivit::normalised(a.kept[row], a.from[row * a.channels + c]) * unit;
  });
}
