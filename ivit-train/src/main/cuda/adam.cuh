/* AdamW over one vector of all parameters, with clipping by the global norm and a moving average. */
#pragma once

#include "reals.cuh"

namespace ivit {

enum { SQUARE_PARTS = 1024 };

struct SquareArguments {
  Global<const float> gradient;
  Global<double> partial; /* [SQUARE_PARTS] */
  int64_t count;
};

struct AdamArguments {
  Global<float> parameters;
  Global<const float> gradient; /* sum over pictures */
  Global<float> m;
  Global<float> v;
  Global<float> average;       /* or null */
  Global<const uint8_t> kinds; /* 0 does not move, 1 moves, 2 decays too */
  int64_t count;
  float pictures;
  float clip; /* what a clipped gradient is multiplied by; 1 where it is not */
  float beta1;
  float beta2;
  float rate; /* with both corrections of the bias */
  float epsilon;
  float decay; /* weight decay times learning rate */
  float average_decay;
};

}  // namespace ivit

/* Shared memory: a double a thread. The order of the sum depends on the length alone. */
IVIT_KERNEL(256, 4) squares(IVIT_ARGUMENTS(ivit::SquareArguments) a) {
  ivit::Shared<double> sums = ivit::as<double>(ivit::shared_memory());
  double sum = 0;
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    double g = a.gradient[i];
    sum += g * g;
  }
  sums[threadIdx.x] = sum;
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    ivit::block_barrier();
    if (threadIdx.x < half) {
      sums[threadIdx.x] += sums[threadIdx.x + half];
    }
  }
  if (threadIdx.x == 0) {
    a.partial[blockIdx.x] = sums[0];
  }
}

IVIT_KERNEL(256, 4) adam(IVIT_ARGUMENTS(ivit::AdamArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    int kind = a.kinds[i];
    if (kind == 0) {
      continue;
    }
    float g = a.gradient[i] * a.clip / a.pictures;
    float m = a.beta1 * a.m[i] + (1 - a.beta1) * g;
    float v = a.beta2 * a.v[i] + (1 - a.beta2) * g * g;
    float parameter = a.parameters[i];
    float update = a.rate * m / (ivit::root_of(v) + a.epsilon);
    if (kind == 2) {
      update += a.decay * parameter;
    }
    parameter -= update;
    a.m[i] = m;
    a.v[i] = v;
    a.parameters[i] = parameter;
    if (ivit::present(a.average)) {
      a.average[i] = a.average_decay * a.average[i] + (1 - a.average_decay) * parameter;
    }
  }
}
