/* SwiGLU of codes for training: gates by a table, the extremes of gated values, and back. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"
#include "walk.cuh"

namespace ivit {

struct ObservedGatingArguments {
  Global<const int8_t> gates;    /* [rows][channels] */
  Global<const int8_t> values;   /* [rows][channels] */
  Global<int8_t> codes;          /* 8-bit output, [rows][channels]; or null */
  Global<int16_t> stream;        /* 16-bit output, [rows][channels]; or null */
  Global<const int16_t> table;   /* silu by offset code, [256] */
  Global<const Dyadic> products; /* [channels] */
  Global<const uint8_t> outliers; /* 1 of an outlier channel, [channels]; or null */
  Global<int32_t> extremes;      /* of products that are no outlier channel's; or null */
  int64_t rows;
  Divisor of_channels;
  int32_t channels;
  int32_t unused;
};

struct GatingBackwardArguments {
  Global<const int8_t> gates;  /* [rows][channels] */
  Global<const int8_t> values; /* [rows][channels] */
  Global<float> gradient;      /* by the gated values, then by the gates, [rows][channels] */
  Global<float> by_values;     /* receives that by the values, [rows][channels] */
  Global<const float> silu;    /* by offset code, [256] */
  Global<const float> slopes;  /* by offset code, [256] */
  int64_t count;
  float value_scale;
  int32_t unused;
};

/* Shared memory: EXTREMES_BYTES. */
template <typename Code>
IVIT_DEVICE void gate_observed(const ObservedGatingArguments &a, Global<Code> to) {
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  bool aligned = wide<4>(a.gates, a.values, to);
  each_column<4>(a.rows, a.channels, a.of_channels, aligned, [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    Dyadic products[N];
    bool outlier[N];
#pragma unroll
    for (int k = 0; k < N; k++) {
      products[k] = a.products[c + k];
      outlier[k] = present(a.outliers) && a.outliers[c + k] != 0;
    }
    return [=, &a, &least, &largest](int64_t row) {
      int64_t i = row * a.channels + c;
      auto gates = load<N>(a.gates + i);
      auto values = load<N>(a.values + i);
      Some<Code, N> out;
#pragma unroll
      for (int k = 0; k < N; k++) {
        int32_t v = a.table[at(gates, k) + 128] * at(values, k);
        if (!outlier[k]) {
          least = v < least ? v : least;
          largest = v > largest ? v : largest;
        }
        int64_t code = requantize_wide(v, products[k].multiplier, products[k].shift);
        put(out, k, narrowed(saturate16(code), Code()));
      }
      store(to + i, out);
    };
  });
  if (present(a.extremes)) {
    extremes_of_block(a.extremes, least, largest);
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 4) gate_observed_8(IVIT_ARGUMENTS(ivit::ObservedGatingArguments) a) {
  ivit::gate_observed(a, a.codes);
}

IVIT_KERNEL(256, 4) gate_observed_16(IVIT_ARGUMENTS(ivit::ObservedGatingArguments) a) {
  ivit::gate_observed(a, a.stream);
}

IVIT_KERNEL(256, 4) gate_backward(IVIT_ARGUMENTS(ivit::GatingBackwardArguments) a) {
  bool wide = ivit::wide<4>(a.gates, a.values, a.gradient, a.by_values);
  ivit::each_element<4>(a.count, wide, [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    auto gates = ivit::load<N>(a.gates + i);
    auto values = ivit::load<N>(a.values + i);
    auto gradient = ivit::load<N>(a.gradient + i);
    ivit::Some<float, N> by_values;
#pragma unroll
    for (int k = 0; k < N; k++) {
      int place = at(gates, k) + 128;
      float g = at(gradient, k);
      put(by_values, k, g * a.silu[place]);
      put(gradient, k, g * (at(values, k) * a.value_scale) * a.slopes[place]);
    }
    ivit::store(a.by_values + i, by_values);
    ivit::store(a.gradient + i, gradient);
  });
}
