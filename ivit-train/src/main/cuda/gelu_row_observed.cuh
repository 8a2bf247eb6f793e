/* GELU in form `row` for training, and back through its sigmoids; a warp a row. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct ObservedGeluRowArguments {
  Global<const int8_t> from;     /* [rows][channels] */
  Global<int8_t> to;             /* [rows][channels]; of the forward pass */
  Global<float> gradient;        /* [rows][channels], multiplied in place; of the backward pass */
  Global<const int16_t> sigmoid; /* 7 bits, [maximum + 128][code + 128] */
  Global<int32_t> extremes;      /* least and largest product of code and sigmoid; or null */
  double scale;                  /* of the input codes */
  int64_t rows;
  int64_t rounding; /* half of the divisor of the requantization */
  int32_t channels;
  int32_t multiplier;
  int32_t shift;
  int32_t unused;
};

/* The sigmoids of a row, by code. */
IVIT_DEVICE Global<const int16_t> sigmoids_of_row(
    const ObservedGeluRowArguments &a, Global<const int8_t> row, int lane) {
  int largest = -128;
  for (int c = lane; c < a.channels; c += WARP) {
    int code = row[c];
    largest = code > largest ? code : largest;
  }
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    int other = (int)shuffle_xor((uint32_t)largest, lanes);
    largest = other > largest ? other : largest;
  }
  return a.sigmoid + ((largest + 128) * 256 + 128);
}

}  // namespace ivit

IVIT_KERNEL(256, 4) gelu_row_observed(IVIT_ARGUMENTS(ivit::ObservedGeluRowArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto from = a.from + row * a.channels;
  auto to = a.to + row * a.channels;
  auto sigmoid = ivit::sigmoids_of_row(a, from, lane);
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    int code = from[c];
    int32_t product = code * sigmoid[code];
    least = product < least ? product : least;
    largest = product > largest ? product : largest;
    int64_t v = ((int64_t)product * a.multiplier + a.rounding) >> a.shift;
    to[c] = (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
  }
  if (ivit::present(a.extremes)) {
    ivit::atomic_min(a.extremes, least);
    ivit::atomic_max(a.extremes + 1, largest);
  }
}

/* The slope of x * sigmoid(1.702 x) at each code, with the integer sigmoid. */
IVIT_KERNEL(256, 4) gelu_row_backward(IVIT_ARGUMENTS(ivit::ObservedGeluRowArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto from = a.from + row * a.channels;
  auto gradient = a.gradient + row * a.channels;
  auto sigmoid = ivit::sigmoids_of_row(a, from, lane);
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    int code = from[c];
    double p = sigmoid[code] / 128.0;
    gradient[c] = (float)(gradient[c] * (p + 1.702 * (code * a.scale) * p * (1 - p)));
  }
}
