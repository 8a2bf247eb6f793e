/* Words from places here and there, one after the other. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct GatherWordsArguments {
  Global<const uint32_t> from;
  Global<const int32_t> places; /* [count] */
  Global<uint32_t> to;          /* [count] */
  int64_t count;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) gather_words(IVIT_ARGUMENTS(ivit::GatherWordsArguments) a) {
  ivit::each_element<4>(a.count, ivit::wide<4>(a.places, a.to), [&](int64_t i, auto n) {
    constexpr int N = decltype(n)::width;
    auto places = ivit::load<N>(a.places + i);
    ivit::Some<uint32_t, N> words;
#pragma unroll
    for (int k = 0; k < N; k++) {
      put(words, k, a.from[at(places, k)]);
    }
    ivit::store(a.to + i, words);
  });
}
