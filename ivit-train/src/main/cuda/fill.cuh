/* Memory set to one word. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct FillArguments {
  Global<uint32_t> to;
  int64_t count; /* words */
  uint32_t word;
  uint32_t unused;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) fill(IVIT_ARGUMENTS(ivit::FillArguments) a) {
  ivit::each_element<4>(a.count, ivit::wide<4>(a.to), [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    ivit::Some<uint32_t, N> words;
#pragma unroll
    for (int k = 0; k < N; k++) {
      put(words, k, a.word);
    }
    ivit::store(a.to + i, words);
  });
}
