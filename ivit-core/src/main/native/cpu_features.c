/* Which kernels run on this processor and under this operating system. */
#include "ivit.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* The compiler's builtin asks the operating system about the registers as well. */
#if defined(IVIT_HAS_AVX2)
static const char *lacks_avx2(void) {
  return __builtin_cpu_supports("avx2") ? NULL : "this processor has no AVX2";
}
#endif

#if defined(IVIT_HAS_VNNI)
static const char *lacks_avx512(void) {
  int rows = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
      && __builtin_cpu_supports("avx512vbmi");
  return rows ? NULL : "this processor has no AVX-512 with VBMI";
}

static const char *lacks_vnni(void) {
  const char *rows = lacks_avx512();
  if (rows != NULL) {
    return rows;
  }
  return __builtin_cpu_supports("avx512vnni") ? NULL : "this processor has no AVX512-VNNI";
}

#endif

#if defined(IVIT_HAS_AMX)
static const char *lacks_amx(void) {
  const char *rows = lacks_avx512();
  if (rows != NULL) {
    return rows;
  }
  unsigned a, b, c, d;
  const unsigned tiles = 1u << 24, int8 = 1u << 25;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & tiles) == 0 || (d & int8) == 0) {
    return "this processor has no AMX int8";
  }
#if defined(__linux__)
  /* Tile data is large, so Linux hands it out per process, on request: ARCH_REQ_XCOMP_PERM. */
  const long request = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request, tile_data) == 0
      ? NULL : "the operating system does not grant AMX";
#else
  return "AMX is used on Linux only";
#endif
}
#endif
#endif

struct candidate {
  const char *name;
  const struct ivit_kernels *kernels;
  const char *(*lacks)(void);
};

static const struct candidate candidates[] = {
#if defined(__x86_64__)
#if defined(IVIT_HAS_AMX)
    {"amx", &ivit_kernels_amx, lacks_amx},
#endif
#if defined(IVIT_HAS_VNNI)
    {"vnni", &ivit_kernels_vnni, lacks_vnni},
#endif
#if defined(IVIT_HAS_AVX2)
    {"avx2", &ivit_kernels_avx2, lacks_avx2},
#endif
#endif
    {"c", &ivit_kernels_c, NULL},
};

const struct ivit_kernels *ivit_kernels_find(const char *name, const char **reason) {
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    if (strcmp(candidates[i].name, name) == 0) {
      *reason = candidates[i].lacks == NULL ? NULL : candidates[i].lacks();
      return *reason == NULL ? candidates[i].kernels : NULL;
    }
  }
  *reason = "this library was built without it";
  return NULL;
}
