/* AdamW over one vector of all parameters, with clipping by the global norm and a moving average. */
#pragma once

#include "walk.cuh"

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

/* What belongs to some parameters. */
template <int N>
struct AdamValues {
  Some<float, N> parameters;
  Some<float, N> m;
  Some<float, N> v;
  Some<float, N> average;
};

/* The step of the parameter at place k of them. */
template <int N>
IVIT_DEVICE void adam_step(
    const AdamArguments &a, AdamValues<N> &values, int k, int kind, float gradient) {
  if (kind == 0) {
    return;
  }
  float g = gradient * a.clip / a.pictures;
  float m = a.beta1 * at(values.m, k) + (1 - a.beta1) * g;
  float v = a.beta2 * at(values.v, k) + (1 - a.beta2) * g * g;
  float parameter = at(values.parameters, k);
  float update = a.rate * m / (root_of(v) + a.epsilon);
  if (kind == 2) {
    update += a.decay * parameter;
  }
  parameter -= update;
  put(values.m, k, m);
  put(values.v, k, v);
  put(values.parameters, k, parameter);
  if (present(a.average)) {
    put(values.average, k,
        a.average_decay * at(values.average, k) + (1 - a.average_decay) * parameter);
  }
}

}  // namespace ivit

/* Shared memory: a double a thread. The order of the sum depends on the length alone. */
IVIT_KERNEL(256, 4) squares(IVIT_ARGUMENTS(ivit::SquareArguments) a) {
  ivit::Shared<double> sums = ivit::as<double>(ivit::shared_memory());
  double sum = 0;
  int64_t step = ivit::thread_count();
  int64_t i = ivit::thread_number();
  /* Four numbers are under way at once, and are added in the order of one. */
  ivit::Some<float, 4> four;
#pragma unroll 1
  for (; i + 3 * step < a.count; i += 4 * step) {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      put(four, k, a.gradient[i + k * step]);
    }
#pragma unroll
    for (int k = 0; k < 4; k++) {
      double g = at(four, k);
      sum += g * g;
    }
  }
#pragma unroll 1
  for (; i < a.count; i += step) {
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
  bool wide = ivit::wide<4>(a.parameters, a.gradient, a.m, a.v, a.average, a.kinds);
  ivit::each_element<4>(a.count, wide, [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    auto kinds = ivit::load<N>(a.kinds + i);
    auto gradient = ivit::load<N>(a.gradient + i);
    ivit::AdamValues<N> values = {
        ivit::load<N>(a.parameters + i), ivit::load<N>(a.m + i), ivit::load<N>(a.v + i), {}};
    bool averaged = ivit::present(a.average);
    if (averaged) {
      values.average = ivit::load<N>(a.average + i);
    }
#pragma unroll
    for (int k = 0; k < N; k++) {
      ivit::adam_step(a, values, k, at(kinds, k), at(gradient, k));
    }
    ivit::store(a.m + i, values.m);
    ivit::store(a.v + i, values.v);
    ivit::store(a.parameters + i, values.parameters);
    if (averaged) {
      ivit::store(a.average + i, values.average);
    }
  });
}
