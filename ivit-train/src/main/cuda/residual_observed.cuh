/* Residual adds for training, with dropped branches, and the extremes of their values. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"
#include "walk.cuh"

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
  int64_t pictures;
  Divisor of_size;
  int32_t size; /* of a picture */
  int32_t unused;
};

}  // namespace ivit

/* Shared memory: EXTREMES_BYTES. */
IVIT_KERNEL(256, 4) residual_observed(IVIT_ARGUMENTS(ivit::ObservedResidualArguments) a) {
  double least = ivit::INFINITE;
  double largest = -ivit::INFINITE;
  bool wide = ivit::wide<8>(a.branch, a.identity, a.out);
  ivit::each_column<8>(a.pictures, a.size, a.of_size, wide, [&](int place, auto n) {
    return [=, &a, &least, &largest](int64_t picture) {
      constexpr int N = decltype(n)::width;
      int64_t i = picture * a.size + place;
      bool kept = !ivit::present(a.factors) || a.factors[picture] != 0.0f;
      auto identities = ivit::load<N>(a.identity + i);
      ivit::Some<int16_t, N> branches = {};
      if (kept) {
        branches = ivit::load<N>(a.branch + i);
      }
      ivit::Some<int16_t, N> out;
#pragma unroll
      for (int k = 0; k < N; k++) {
        int32_t branch = at(branches, k);
        int32_t identity = at(identities, k);
        int64_t sum = ivit::requantize_wide(
                          branch, a.branch_multiplier.multiplier, a.branch_multiplier.shift)
            + ivit::requantize_wide(
                identity, a.identity_multiplier.multiplier, a.identity_multiplier.shift);
        put(out, k, (int16_t)ivit::saturate16(sum));
        double value = branch * a.branch_scale + identity * a.identity_scale;
        least = value < least ? value : least;
        largest = value > largest ? value : largest;
      }
      ivit::store(a.out + i, out);
    };
  });
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_block(a.extremes, least, largest);
  }
}
