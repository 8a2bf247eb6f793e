/* Back through I-LayerNorm, straight through its rounding. */
#pragma once

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
  auto gradient = a.gradient + row * a.channels;
  auto to = a.to + row * a.to_stride;
  double unit = a.root_of_channels / 1073741824.0;
  double total = 0;
  double along = 0;
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    double g = (double)gradient[c] * a.gamma[c];
    total += g;
    along += g * (ivit::normalised(s, from[c]) * unit);
  }
  total = ivit::sum_of_warp(total) / a.channels;
  along = ivit::sum_of_warp(along) / a.channels;
  double factor = a.root_of_channels / (a.input_scale * s.root);
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    double g = (double)gradient[c] * a.gamma[c];
    double x = ivit::normalised(s, from[c]) * unit;
    to[c] = (float)(to[c] + (g - total - x * along) * factor);
  }
}

/* Partial sums of the gradients by gamma and beta; a thread a channel. */
IVIT_KERNEL(256, 4) norm_parameters_backward(IVIT_ARGUMENTS(ivit::NormBackwardArguments) a) {
  int c = (int)(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= a.channels) {
    return;
  }
  double unit = a.root_of_channels / 1073741824.0;
  int64_t first = (int64_t)blockIdx.y * a.rows_a_part;
  int64_t end = first + a.rows_a_part < a.rows ? first + a.rows_a_part : a.rows;
  double gamma = 0;
  double beta = 0;
  for (int64_t row = first; row < end; row++) {
    double g = a.gradient[row * a.channels + c];
    gamma += g * (ivit::normalised(a.kept[row], a.from[row * a.channels + c]) * unit);
    beta += g;
  }
  a.gamma_partial[(int64_t)blockIdx.y * a.channels + c] = gamma;
  a.beta_partial[(int64_t)blockIdx.y * a.channels + c] = beta;
}
