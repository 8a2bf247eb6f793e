/* Words from places here and there, one after the other. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct GatherWordsArguments {
  Global<const uint32_t> from;
  Global<const int32_t> places; /* [count] */
  Global<uint32_t> to;          /* [count] */
  int64_t count;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) gather_words(IVIT_ARGUMENTS(ivit::GatherWordsArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[i] = a.from[a.places[i]];
  }
}
