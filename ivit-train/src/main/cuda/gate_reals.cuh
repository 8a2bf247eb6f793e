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
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float gate = a.gates[i];
    a.to[i] = gate * ivit::sigmoid(gate) * a.values[i];
  }
}

IVIT_KERNEL(256, 4) gate_reals_backward(IVIT_ARGUMENTS(ivit::RealGatingArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float gate = a.gates[i];
    float sigmoid = ivit::sigmoid(gate);
    float g = a.gradient[i];
    a.by_values[i] = g * (gate * sigmoid);
    a.gradient[i] = g * a.values[i] * (sigmoid * (1.0f + gate * (1.0f - sigmoid)));
  }
}
