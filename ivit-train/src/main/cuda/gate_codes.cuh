/* SwiGLU of codes for training: gates by a table, the extremes of gated values, and back. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"

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

/* A block a row. */
template <typename Code>
IVIT_DEVICE void gate_observed(const ObservedGatingArguments &a, Global<Code> to) {
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    for (int c = (int)threadIdx.x; c < a.channels; c += (int)blockDim.x) {
      int64_t i = row * a.channels + c;
      int32_t v = a.table[a.gates[i] + 128] * a.values[i];
      if (!present(a.outliers) || a.outliers[c] == 0) {
        least = v < least ? v : least;
        largest = v > largest ? v : largest;
      }
      Dyadic product = a.products[c];
      to[i] = narrowed(
          saturate16(requantize_wide(v, product.multiplier, product.shift)), Code());
    }
  }
  if (present(a.extremes)) {
    extremes_of_warp(a.extremes, least, largest);
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
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    int place = a.gates[i] + 128;
    float g = a.gradient[i];
    a.by_values[i] = g * a.silu[place];
    a.gradient[i] = g * (a.values[i] * a.value_scale) * a.slopes[place];
  }
}
