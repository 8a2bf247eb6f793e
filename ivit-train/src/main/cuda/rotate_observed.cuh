/* Rotary positions of codes for training, and the extremes of what is turned. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"
#include "rotary.cuh"

namespace ivit {

struct ObservedRotationArguments {
  Global<const int16_t> from;    /* [rows][3][heads][head_dim] */
  Global<int8_t> to;             /* [rows][3][heads][head_dim] */
  Global<const uint32_t> turns;  /* cosine and sine, 16 bits each, [tokens][head_dim] */
  Global<const int32_t> partner; /* channel of the head, [head_dim] */
  Global<int32_t> extremes;      /* 2^14 times codes; or null */
  Dyadic rotation;
  int64_t rows;
  int32_t tokens;
  int32_t heads;
  int32_t head_dim;
  int32_t unused;
};

}  // namespace ivit

/* A block a row. */
IVIT_KERNEL(256, 4) rotate_observed(IVIT_ARGUMENTS(ivit::ObservedRotationArguments) a) {
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  int dim = a.heads * a.head_dim;
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    auto from = a.from + row * 3 * dim;
    auto turns = a.turns + row % a.tokens * a.head_dim;
    for (int i = (int)threadIdx.x; i < 3 * dim; i += (int)blockDim.x) {
      int32_t v = from[i] * (1 << ivit::ROTARY_BITS);
      if (i < 2 * dim) {
        int c = i % a.head_dim;
        v = ivit::turned(from[i], from[i - c + a.partner[c]], turns[c]);
      }
      least = v < least ? v : least;
      largest = v > largest ? v : largest;
      int64_t code = ivit::requantize_wide(v, a.rotation.multiplier, a.rotation.shift);
      a.to[row * 3 * dim + i] = (int8_t)ivit::saturate8(ivit::saturate16(code));
    }
  }
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_warp(a.extremes, least, largest);
  }
}
