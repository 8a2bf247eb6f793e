/* GELU with the error function on reals, and back. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct RealGeluArguments {
  Global<const float> from;
  Global<float> to;       /* of the forward pass */
  Global<float> gradient; /* multiplied in place; of the backward pass */
  int64_t count;
};

/* The normal distribution. */
IVIT_DEVICE float normal_distribution(float x) {
  return 0.5f * complement_of(x * -0.70710678f);
}

IVIT_DEVICE float normal_density(float x) { return 0.39894228f * exp_of(-0.5f * x * x); }

}  // namespace ivit

IVIT_KERNEL(256, 4) gelu_reals(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float x = a.from[i];
    a.to[i] = x * ivit::normal_distribution(x);
  }
}

IVIT_KERNEL(256, 4) gelu_reals_backward(IVIT_ARGUMENTS(ivit::RealGeluArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float x = a.from[i];
    a.gradient[i] = a.gradient[i] * (ivit::normal_distribution(x) + x * ivit::normal_density(x));
  }
}
