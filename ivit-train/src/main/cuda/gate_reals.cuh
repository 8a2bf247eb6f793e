/* SwiGLU of reals, and back. */
#pragma once

#include "gelu_reals.cuh"

namespace ivit {

struct RealGatingArguments {
  Global<const float> gates;
  Global<const float> values;
  Global<float> to;        /* of the forward pass */
  Global<float> gradient;  /* by the gated values, then by the gates; of the backward pass */
  Global<float> by_values; /* receives that by the values; of the backward pass */
  int64_t count;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) gate_reals(IVIT_ARGUMENTS(ivit::RealGatingArguments) a) {
  bool wide = ivit::wide<4>(a.gates, a.values, a.to);
  ivit::each_element<4>(a.count, wide, [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    auto gates = ivit::load<N>(a.gates + i);
    auto values = ivit::load<N>(a.values + i);
    ivit::Some<float, N> to;
#pragma unroll
    for (int k = 0; k < N; k++) {
      float gate = at(gates, k);
      put(to, k, gate * ivit::sigmoid(gate) * at(values, k));
    }
    ivit::store(a.to + i, to);
  });
}

IVIT_KERNEL(256, 4) gate_reals_backward(IVIT_ARGUMENTS(ivit::RealGatingArguments) a) {
  bool wide = ivit::wide<4>(a.gates, a.values, a.gradient, a.by_values);
  ivit::each_element<4>(a.count, wide, [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    auto gates = ivit::load<N>(a.gates + i);
    auto values = ivit::load<N>(a.values + i);
    auto gradient = ivit::load<N>(a.gradient + i);
    ivit::Some<float, N> by_values;
#pragma unroll
    for (int k = 0; k < N; k++) {
      float gate = at(gates, k);
      float sigmoid = ivit::sigmoid(gate);
      float g = at(gradient, k);
      put(by_values, k, g * (gate * sigmoid));
      put(gradient, k, g * at(values, k) * (sigmoid * (1.0f + gate * (1.0f - sigmoid))));
    }
    ivit::store(a.by_values + i, by_values);
    ivit::store(a.gradient + i, gradient);
  });
}
