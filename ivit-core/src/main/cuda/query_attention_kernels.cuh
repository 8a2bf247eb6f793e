/* The engine's attention of one query. */
#pragma once

#include "query_attention.cuh"

namespace ivit {

/* Who looks on: nobody. */
struct UnobservedQuery {
  IVIT_DEVICE void probability(const QueryAttentionArguments &, int, int, int, uint32_t) {}

  IVIT_DEVICE void context(int, int32_t) {}
};

}  // namespace ivit

IVIT_KERNEL(128, 8) query_attention(IVIT_ARGUMENTS(ivit::QueryAttentionArguments) a) {
  ivit::await_previous_grid();
  ivit::UnobservedQuery nobody;
  ivit::query_attention(a, nobody);
}
