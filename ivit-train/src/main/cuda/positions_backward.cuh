/* Gradients by relative positions: over all windows first, then over the pairs of a position. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct PositionArguments {
  Global<const float> sums;    /* by biased scores, over all windows, [heads][pairs] */
  Global<const int32_t> first; /* of the pairs of a position, [positions + 1] */
  Global<const int32_t> pairs; /* query * tokens + key, position after position */
  Global<float> to;            /* [positions][heads] */
  int32_t heads;
  int32_t positions;
  int32_t pair_count;
  int32_t added; /* whether to add to what is there */
};

}  // namespace ivit

IVIT_KERNEL(256, 4) positions_backward(IVIT_ARGUMENTS(ivit::PositionArguments) a) {
  for (int64_t i = ivit::thread_number(); i < (int64_t)a.positions * a.heads;
       i += ivit::thread_count()) {
    int position = (int)(i / a.heads);
    int head = (int)(i % a.heads);
    double sum = 0;
    for (int32_t k = a.first[position]; k < a.first[position + 1]; k++) {
      sum += a.sums[(int64_t)head * a.pair_count + a.pairs[k]];
    }
    a.to[i] = (float)(a.added ? a.to[i] + sum : sum);
  }
}
