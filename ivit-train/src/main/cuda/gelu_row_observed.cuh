/* GELU in form `row` for training, and back through its sigmoids; a warp a row. */
#pragma once

#include "extremes.cuh"
#include "walk.cuh"

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
    const ObservedGeluRowArguments &a, Global<const int8_t> row) {
  int largest = -128;
  each_of_row<16>(a.channels, wide<16>(row), [&](int c, auto n) {
    auto codes = load<decltype(n)::width>(row + c);
#pragma unroll
    for (int k = 0; k < decltype(n)::width; k++) {
      int code = at(codes, k);
      largest = code > largest ? code : largest;
    }
  });
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    int other = (int)shuffle_xor((uint32_t)largest, lanes);
    largest = other > largest ? other : largest;
  }
  return a.sigmoid + ((largest + 128) * 256 + 128);
}

/* A row's codes, and the extremes of their products. */
IVIT_DEVICE void gelu_of_row(
    const ObservedGeluRowArguments &a, int64_t row, int32_t &least, int32_t &largest) {
  auto from = a.from + row * a.channels;
  auto to = a.to + row * a.channels;
  auto sigmoid = sigmoids_of_row(a, from);
  each_of_row<8>(a.channels, wide<8>(from, to), [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    auto codes = load<N>(from + c);
    Some<int8_t, N> out;
#pragma unroll
    for (int k = 0; k < N; k++) {
      int code = at(codes, k);
      int32_t product = code * sigmoid[code];
      least = product < least ? product : least;
      largest = product > largest ? product : largest;
      int64_t v = ((int64_t)product * a.multiplier + a.rounding) >> a.shift;
      put(out, k, (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v));
    }
    store(to + c, out);
  });
}

}  // namespace ivit

/* Shared memory: EXTREMES_BYTES. */
IVIT_KERNEL(256, 4) gelu_row_observed(IVIT_ARGUMENTS(ivit::ObservedGeluRowArguments) a) {
  int64_t row = ivit::thread_number() / ivit::WARP;
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  if (row < a.rows) {
    ivit::gelu_of_row(a, row, least, largest);
  }
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_block(a.extremes, least, largest);
  }
}

/* The slope of x * sigmoid(1.702 x) at each code, with the integer sigmoid. */
IVIT_KERNEL(256, 4) gelu_row_backward(IVIT_ARGUMENTS(ivit::ObservedGeluRowArguments) a) {
  int64_t row = ivit::thread_number() / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  auto from = a.from + row * a.channels;
  auto gradient = a.gradient + row * a.channels;
  auto sigmoid = ivit::sigmoids_of_row(a, from);
  ivit::each_of_row<4>(a.channels, ivit::wide<4>(from, gradient), [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    auto codes = ivit::load<N>(from + c);
    auto g = ivit::load<N>(gradient + c);
#pragma unroll
    for (int k = 0; k < N; k++) {
      int code = at(codes, k);
      double p = sigmoid[code] / 128.0;
      put(g, k, (float)(at(g, k) * (p + 1.702 * (code * a.scale) * p * (1 - p))));
    }
    ivit::store(gradient + c, g);
  });
}
