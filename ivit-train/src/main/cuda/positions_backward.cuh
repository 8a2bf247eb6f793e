/* Gradients by relative positions: over all windows first, then over the pairs of a position. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct PositionArguments {
  Global<const float> sums;    /* by biased scores, over all windows, [heads][pairs] */
  Global<const int32_t> first; /* of the pairs of a position, [positions + 1] */
  Global<const int32_t> pairs; /* query * tokens + key, position after position */
  Global<float> to;            /* [positions][heads] */
  Divisor of_heads;
  int32_t heads;
  int32_t positions;
  int32_t pair_count;
  int32_t added; /* whether to add to what is there */
};

}  // namespace ivit

IVIT_KERNEL(256, 4) positions_backward(IVIT_ARGUMENTS(ivit::PositionArguments) a) {
  ivit::each_column<1>(a.positions, a.heads, a.of_heads, true, [&](int head, auto) {
    return [=, &a](int64_t position) {
      auto sums = a.sums + (int64_t)head * a.pair_count;
      int32_t end = a.first[position + 1];
      double sum = 0;
#pragma unroll 4
      for (int32_t k = a.first[position]; k < end; k++) {
        sum += sums[a.pairs[k]];
      }
      auto to = a.to + (position * a.heads + head);
      *to = (float)(a.added ? *to + sum : sum);
    };
  });
}
