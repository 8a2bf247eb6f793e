/* Residual adds for training, with dropped branches, and the extremes of their values. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"

namespace ivit {

struct ObservedResidualArguments {
  Global<const int16_t> branch;   /* [pictures][size] */
  Global<const int16_t> identity; /* [pictures][size] */
  Global<int16_t> out;            /* [pictures][size] */
  Global<const float> factors;    /* 0 of a picture whose branch is dropped; or null for all kept */
  Global<uint64_t> extremes;      /* ordered bits; or null */
  Dyadic branch_multiplier;       /* of a branch that is kept */
  Dyadic identity_multiplier;
  double branch_scale; /* of a branch that is kept */
  double identity_scale;
  int64_t count;
  int32_t size; /* of a picture */
  int32_t unused;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) residual_observed(IVIT_ARGUMENTS(ivit::ObservedResidualArguments) a) {
  double least = ivit::INFINITE;
  double largest = -ivit::INFINITE;
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    bool kept = !ivit::present(a.factors) || a.factors[i / a.size] != 0.0f;
    int32_t branch = kept ? a.branch[i] : 0;
    int32_t identity = a.identity[i];
    int64_t sum =
        ivit::requantize_wide(branch, a.branch_multiplier.multiplier, a.branch_multiplier.shift)
        + ivit::requantize_wide(
            identity, a.identity_multiplier.multiplier, a.identity_multiplier.shift);
    a.out[i] = (int16_t)ivit::saturate16(sum);
    double value = branch * a.branch_scale + identity * a.identity_scale;
    least = value < least ? value : least;
    largest = value > largest ? value : largest;
  }
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_warp(a.extremes, least, largest);
  }
}
