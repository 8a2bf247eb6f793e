/* Numbers times a factor, one for all pictures and one a picture, spread over tokens or not. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct ScaleArguments {
  Global<const float> from;
  Global<float> to;
  Global<const float> factors; /* by picture; or null */
  int64_t count;               /* numbers written */
  int32_t size;                /* numbers written of a picture */
  int32_t channels;            /* where a picture's row is spread: its length; otherwise 0 */
  float factor;
  int32_t first; /* the first numbers written of a picture, which are 0 */
};

}  // namespace ivit

IVIT_KERNEL(256, 4) scale_pictures(IVIT_ARGUMENTS(ivit::ScaleArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    int64_t picture = i / a.size;
    int place = (int)(i % a.size);
    int64_t from = a.channels == 0 ? i : picture * a.channels + place % a.channels;
    float factor = ivit::present(a.factors) ? a.factor * a.factors[picture] : a.factor;
    a.to[i] = place < a.first ? 0 : a.from[from] * factor;
  }
}
