/* Activation functions on reals, and back: GELU, and those that are x times a sigmoid. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct RealGeluArguments {
  Global<const float> from;
  Global<float> to;       /* of the forward pass */
  Global<float> gradient; /* multiplied in place; of the backward pass */
  int64_t count;
};

/* x times the normal distribution, by the error function. */
struct NormalGate {
  static IVIT_DEVICE float gate(float x) { return 0.5f * complement_of(x * -0.70710678f); }

  static IVIT_DEVICE float slope(float x, float) {
    return 0.39894228f * exp_of(-0.5f * x * x);
  }
};

IVIT_DEVICE float sigmoid(float x) { return 1.0f / (1.0f + exp_of(-x)); }

/* x times the sigmoid of 1.702 x. */
struct SigmoidGate {
  static IVIT_DEVICE float gate(float x) { return sigmoid(1.702f * x); }

  static IVIT_DEVICE float slope(float, float gate) { return 1.702f * gate * (1.0f - gate); }
};

/* GELU by tanh: (1 + tanh(u)) / 2 is the sigmoid of 2 u. */
struct TanhGate {
  static IVIT_DEVICE float gate(float x) {
    return sigmoid(1.5957691f * (x + 0.044715f * x * x * x));
  }

  static IVIT_DEVICE float slope(float x, float gate) {
    return 1.5957691f * (1.0f + 0.134145f * x * x) * gate * (1.0f - gate);
  }
};

template <typename Gate>
IVIT_DEVICE void activate(const RealGeluArguments &a) {
  each_element<4>(a.count, wide<4>(a.from, a.to), [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    auto v = load<N>(a.from + i);
#pragma unroll
    for (int k = 0; k < N; k++) {
      float x = at(v, k);
      put(v, k, x * Gate::gate(x));
    }
    store(a.to + i, v);
  });
}

template <typename Gate>
IVIT_DEVICE void activate_backward(const RealGeluArguments &a) {
  each_element<4>(a.count, wide<4>(a.from, a.gradient), [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    auto from = load<N>(a.from + i);
    auto gradient = load<N>(a.gradient + i);
#pragma unroll
    for (int k = 0; k < N; k++) {
      float x = at(from, k);
      float gate = Gate::gate(x);
      put(gradient, k, at(gradient, k) * (gate + x * Gate::slope(x, gate)));
    }
    store(a.gradient + i, gradient);
  });
}

}  // namespace ivit

IVIT_KERNEL(256, 4) gelu_reals(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  ivit::activate<ivit::NormalGate>(a);
}

IVIT_KERNEL(256, 4) gelu_reals_backward(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  ivit::activate_backward<ivit::NormalGate>(a);
}

IVIT_KERNEL(256, 4) quick_gelu_reals(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  ivit::activate<ivit::SigmoidGate>(a);
}

IVIT_KERNEL(256, 4) quick_gelu_reals_backward(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  ivit::activate_backward<ivit::SigmoidGate>(a);
}

IVIT_KERNEL(256, 4) gelu_tanh_reals(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  ivit::activate<ivit::TanhGate>(a);
}

IVIT_KERNEL(256, 4) gelu_tanh_reals_backward(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  ivit::activate_backward<ivit::TanhGate>(a);
}
