/* Memory set to one word. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct FillArguments {
  Global<uint32_t> to;
  int64_t count; /* words */
  uint32_t word;
  uint32_t unused;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) fill(IVIT_ARGUMENTS(ivit::FillArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[i] = a.word;
  }
}
