/* Which kernels run here. */
#include "kernels.h"

#include <string.h>

extern const struct ivit_training_kernels ivit_training_c;
extern const struct ivit_training_kernels ivit_training_avx2;
extern const struct ivit_training_kernels ivit_training_avx512;

const struct ivit_training_kernels *ivit_training_find(const char *name) {
#if defined(IVIT_HAS_AVX512)
  if (strcmp(name, "avx512") == 0 && __builtin_cpu_supports("avx512f")
      && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
      && __builtin_cpu_supports("avx512dq")) {
    return &ivit_training_avx512;
  }
#endif
#if defined(IVIT_HAS_AVX2)
  if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2")
      && __builtin_cpu_supports("fma")) {
    return &ivit_training_avx2;
  }
#endif
  return strcmp(name, "c") == 0 ? &ivit_training_c : NULL;
}
