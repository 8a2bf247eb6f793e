/* Which kernels OpenBLAS takes. */
#include "kernels.h"

#include "ivit.h"

#include <stdlib.h>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>

/* What cpuid answers in ebx on AMD's processors: the first letters of AuthenticAMD. */
#define AMD 0x68747541u

int ivit_name_blas_core(void) {
  unsigned a, b, c, d;
  return __get_cpuid(0, &a, &b, &c, &d) && b == AMD && ivit_training_find("avx512") != NULL
      && getenv("OPENBLAS_CORETYPE") == NULL && setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0) == 0;
}
#else
int ivit_name_blas_core(void) {
  return 0;
}
#endif
