/* Weights to 8-bit codes with one scale an output channel, and sums over the codes. */
#pragma once

#include "walk.cuh"
#include "weight_grid.cuh"

namespace ivit {

/* What the host learns of an output channel. */
struct alignas(32) QuantizedChannel {
  float scale;
  int32_t magnitude;         /* sum of the codes' absolute values */
  int32_t outlier_magnitude; /* the same over outlier channels of the input, not in the former */
  int32_t code;              /* sum of the codes */
  int32_t outlier_code;
  int32_t infinite; /* an input whose weight is not finite, the first; -1 for none */
  int32_t unused[2];
};

struct QuantizeArguments {
  Global<const float> weight;      /* [outputs][inputs] */
  Global<const float> bias;        /* [outputs]; or null */
  Global<const float> frozen;      /* scales, [outputs]; or null where they follow from the weights */
  Global<const uint8_t> outliers;  /* 1 of an outlier channel of the input, [inputs]; or null */
  Global<int8_t> codes;            /* [outputs][inputs] */
  Global<QuantizedChannel> channels;
  WeightGrid grid; /* of the codes */
  int32_t outputs;
  int32_t inputs;
  float input_scale;
  int32_t unused;
};

/* The code of a weight times the reciprocal of its channel's scale. */
IVIT_DEVICE int32_t code_of(const QuantizeArguments &a, int64_t output, int input, float value) {
  if (a.grid.bits != 0) {
    GridCodes codes = codes_of(a.grid, output, input);
    return codes[nearest_index(codes, value)];
  }
  float q = rint_of(value);
  return q < -128.0f ? -128 : q < 127.0f ? (int32_t)q : 127;
}

IVIT_DEVICE int32_t sum_of_warp(int32_t v) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    v += (int32_t)shuffle_xor((uint32_t)v, lanes);
  }
  return v;
}

/* The scale of the channel's smallest and largest weight; sets `infinite`. */
IVIT_DEVICE float scale_of_weights(
    Global<const float> weight, int inputs, int32_t &infinite) {
  float least = INFINITE;
  float largest = -INFINITE;
  uint32_t bad = UINT32_MAX;
  each_of_row<4>(inputs, wide<4>(weight), [&](int first, auto n) {
    auto weights = load<decltype(n)::width>(weight + first);
#pragma unroll
    for (int k = 0; k < decltype(n)::width; k++) {
      float w = at(weights, k);
      if (!(w < INFINITE && w > -INFINITE)) {
        bad = bad < (uint32_t)(first + k) ? bad : (uint32_t)(first + k);
      }
      least = w < least ? w : least;
      largest = w > largest ? w : largest;
    }
  });
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    float other = shuffle_xor(least, lanes);
    least = other < least ? other : least;
    other = shuffle_xor(largest, lanes);
    largest = other > largest ? other : largest;
    uint32_t first = shuffle_xor(bad, lanes);
    bad = first < bad ? first : bad;
  }
  infinite = (int32_t)bad;
  float scale = (-least > largest ? -least : largest) / 127.0f;
  return scale > 0x1p-23f ? scale : 0x1p-23f;
}

/* The scale, raised where the bias would need a code beyond 2^30. */
IVIT_DEVICE float scale_for_bias(float scale, float bias, float input_scale) {
  float code = rint_of(1.0f / (scale * input_scale) * bias);
  float most = 1073741824.0f;
  return code > most || code < -most ? (bias < 0 ? -bias : bias) / (most * input_scale) : scale;
}

}  // namespace ivit

/* A warp an output channel. */
IVIT_KERNEL(256, 4) quantize_channels(IVIT_ARGUMENTS(ivit::QuantizeArguments) a) {
  int lane = (int)threadIdx.x % ivit::WARP;
  int64_t c = ivit::thread_number() / ivit::WARP;
  if (c >= a.outputs) {
    return;
  }
  auto weight = a.weight + c * a.inputs;
  auto codes = a.codes + c * a.inputs;
  ivit::QuantizedChannel channel = {};
  channel.scale = ivit::scale_of_weights(weight, a.inputs, channel.infinite);
  if (ivit::present(a.frozen)) {
    channel.scale = a.frozen[c];
  }
  if (ivit::present(a.bias)) {
    channel.scale = ivit::scale_for_bias(channel.scale, a.bias[c], a.input_scale);
  }
  float reciprocal = 1.0f / channel.scale;
  ivit::each_of_row<4>(a.inputs, ivit::wide<4>(weight, codes), [&](int first, auto n) {
    constexpr int N = decltype(n)::width;
    auto weights = ivit::load<N>(weight + first);
    ivit::Some<int8_t, N> to;
#pragma unroll
    for (int k = 0; k < N; k++) {
      int32_t code = ivit::code_of(a, c, first + k, reciprocal * at(weights, k));
      put(to, k, (int8_t)code);
      int32_t magnitude = code < 0 ? -code : code;
      if (ivit::present(a.outliers) && a.outliers[first + k] != 0) {
        channel.outlier_code += code;
        channel.outlier_magnitude += magnitude;
      } else {
        channel.code += code;
        channel.magnitude += magnitude;
      }
    }
    ivit::store(codes + first, to);
  });
  channel.code = ivit::sum_of_warp(channel.code);
  channel.magnitude = ivit::sum_of_warp(channel.magnitude);
  channel.outlier_code = ivit::sum_of_warp(channel.outlier_code);
  channel.outlier_magnitude = ivit::sum_of_warp(channel.outlier_magnitude);
  if (lane == 0) {
    a.channels[c] = channel;
  }
}
