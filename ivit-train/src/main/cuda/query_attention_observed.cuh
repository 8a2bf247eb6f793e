/*
 * The engine's attention of one query for training: its codes, the probabilities that the backward pass
 * needs, and the extremes of the context.
 */
#pragma once

#include "query_attention.cuh"
#include "reals.cuh"

namespace ivit {

struct ObservedQueryArguments {
  QueryAttentionArguments attention;
  Global<int16_t> probabilities; /* [pictures][heads][tokens] */
  Global<int32_t> least;         /* context's accumulators by channel; or null */
  Global<int32_t> largest;
};

struct QueryObserver {
  const ObservedQueryArguments &o;

  IVIT_DEVICE void probability(
      const QueryAttentionArguments &a, int picture, int head, int token, uint32_t p) {
    int64_t row = (int64_t)picture * gridDim.x + head;
    o.probabilities[row * a.tokens + token] = (int16_t)p;
  }

  IVIT_DEVICE void context(int channel, int32_t z) {
    if (present(o.least)) {
      widen(o.least + channel, o.largest + channel, z, z);
    }
  }
};

}  // namespace ivit

IVIT_KERNEL(128, 8) query_attention_observed(IVIT_ARGUMENTS(ivit::ObservedQueryArguments) a) {
  ivit::QueryObserver observer{a};
  ivit::query_attention(a.attention, observer);
}
