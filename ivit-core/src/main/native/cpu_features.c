/* Which kernels run on this processor and under this operating system. */
#include "ivit.h"
#include "kernel_sets.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(_WIN32)
#include <windows.h>
#endif

/* The compiler's builtin asks the operating system about the registers as well. */
#define BUILTIN(name) \
  static int has_##name(void) { \
    return __builtin_cpu_supports(#name); \
  }
BUILTIN(avx2)
BUILTIN(fma)
BUILTIN(avx512f)
BUILTIN(avx512bw)
BUILTIN(avx512vl)
BUILTIN(avx512dq)
BUILTIN(avx512vbmi)
BUILTIN(avx512vnni)

static int has_avxvnni(void) {
  unsigned a, b, c, d;
  return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4) != 0;
}

static int has_amx(void) {
  unsigned a, b, c, d;
  const unsigned tiles = 1u << 24, int8 = 1u << 25;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & tiles) != 0 && (d & int8) != 0;
}

/*
 * Tile data is large, so systems hand it out per process, on request: Linux by ARCH_REQ_XCOMP_PERM,
 * Windows, from 11 and Server 2022 on, by a function that older ones lack.
 */
static int grants_amx(void) {
#if defined(__linux__)
  const long request = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request, tile_data) == 0;
#elif defined(_WIN32)
  typedef BOOL WINAPI enable_features(DWORD64 features);
  const DWORD64 tile_configuration = 1u << 17, tile_data = 1u << 18;
  HMODULE kernel = GetModuleHandleA("kernel32.dll");
  FARPROC found =
      kernel == NULL ? NULL : GetProcAddress(kernel, "EnableProcessOptionalXStateFeatures");
  enable_features *enable = (enable_features *)(void (*)(void))found;
  return enable != NULL && enable(tile_configuration | tile_data);
#else
  return 0;
#endif
}
#endif

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

/* Bits of the kernel's interface, which older headers do not name. */
static int has_dotprod(void) {
  const unsigned long asimddp = 1ul << 20;
  return (getauxval(AT_HWCAP) & asimddp) != 0;
}

static int has_i8mm(void) {
  const unsigned long i8mm = 1ul << 13;
  return (getauxval(AT_HWCAP2) & i8mm) != 0;
}
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

static int has_option(const char *name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}

static int has_dotprod(void) {
  return has_option("hw.optional.arm.FEAT_DotProd");
}

static int has_i8mm(void) {
  return has_option("hw.optional.arm.FEAT_I8MM");
}
#elif defined(__aarch64__)
static int has_dotprod(void) {
  return 0;
}

static int has_i8mm(void) {
  return 0;
}
#endif

struct feature {
  const char *word; /* of kernel_sets */
  int (*present)(void);
  const char *lack;
};

static const struct feature features[] = {
#if defined(__x86_64__)
    {"avx2", has_avx2, "this processor has no AVX2"},
    {"fma", has_fma, "this processor has no FMA"},
    {"avx512f", has_avx512f, "this processor has no AVX-512"},
    {"avx512bw", has_avx512bw, "this processor has no AVX-512 with BW"},
    {"avx512vl", has_avx512vl, "this processor has no AVX-512 with VL"},
    {"avx512dq", has_avx512dq, "this processor has no AVX-512 with DQ"},
    {"avx512vbmi", has_avx512vbmi, "this processor has no AVX-512 with VBMI"},
    {"avx512vnni", has_avx512vnni, "this processor has no AVX512-VNNI"},
    {"avxvnni", has_avxvnni, "this processor has no AVX-VNNI"},
    {"amx", has_amx, "this processor has no AMX int8"},
    {"amx", grants_amx, "the operating system does not grant AMX"},
#elif defined(__aarch64__)
    {"dotprod", has_dotprod, "this processor has no dot product of bytes (FEAT_DotProd)"},
    {"i8mm", has_i8mm, "this processor has no product of byte matrices (FEAT_I8MM)"},
#endif
    {"-", NULL, NULL},
};

static int is_word(const char *list, size_t length, const char *word) {
  return strlen(word) == length && memcmp(list, word, length) == 0;
}

const char *ivit_features_lacking(const char *list) {
  for (;;) {
    size_t length = strcspn(list, ",");
    int known = 0;
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
      const struct feature *f = &features[i];
      if (is_word(list, length, f->word)) {
        known = 1;
        if (f->present != NULL && !f->present()) {
          return f->lack;
        }
      }
    }
    if (!known) {
      return "kernel_sets asks for a feature that cpu_features.c does not know";
    }
    if (list[length] == '\0') {
      return NULL;
    }
    list += length + 1;
  }
}

#define DECLARE(name, features) extern const struct ivit_kernels ivit_kernels_##name;
#define ENTRY(name, features) {&ivit_kernels_##name, features},
#define NAME(name, features) #name,

IVIT_ENGINE_SETS(DECLARE)

static const struct {
  const struct ivit_kernels *kernels;
  const char *features;
} sets[] = {IVIT_ENGINE_SETS(ENTRY)};

const char *const ivit_kernels_names[] = {IVIT_ENGINE_SETS(NAME) NULL};

const struct ivit_kernels *ivit_kernels_find(const char *name, const char **reason) {
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    if (strcmp(sets[i].kernels->name, name) == 0) {
      *reason = ivit_features_lacking(sets[i].features);
      return *reason == NULL ? sets[i].kernels : NULL;
    }
  }
  *reason = "this library was built without it";
  return NULL;
}

const struct ivit_kernels *ivit_kernels_named(const char *name) {
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    if (strcmp(sets[i].kernels->name, name) == 0) {
      return sets[i].kernels;
    }
  }
  return NULL;
}
