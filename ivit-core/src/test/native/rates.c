/*
 * What one core does of the kernels' inner loops when everything lies in registers: the floor of
 * products. Prints a line for each loop that runs here, its name and 10^9 multiply-adds a second.
 */
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)

enum { ROWS = 6, ROUNDS = 1 << 20, TRIES = 50 };

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Codes are zeros, which no instruction here is faster for; the compiler sees none of it. */
typedef long long zmm __attribute__((vector_size(64)));
typedef long long ymm __attribute__((vector_size(32)));
#define AVX512 __attribute__((noinline, target("avx512f,avx512vl,avx512bw,avx512vnni")))
#define AVX2 __attribute__((noinline, target("avx2,fma,avxvnni")))

#define STEP(instruction, d, a, b) __asm__ volatile(instruction " %2, %1, %0" : "+x"(d) : "x"(a), "x"(b))
#define MAKE(instruction, d, a, b) __asm__ volatile(instruction " %2, %1, %0" : "=x"(d) : "x"(a), "x"(b))
#define ADD(instruction, d, a) __asm__ volatile(instruction " %1, %0, %0" : "+x"(d) : "x"(a))

#define CHAINS(type, count, instruction, d, a, b) \
  type acc[count] = {{0}}, a = {0}, b = {0};      \
  for (int i = 0; i < ROUNDS; i++) {              \
    _Pragma("GCC unroll 16")                      \
    for (int r = 0; r < count; r++) {             \
      STEP(instruction, acc[r], a, b);            \
    }                                             \
  }

AVX512 static void dot512(void) {
  CHAINS(zmm, 12, "vpdpbusd", acc, a, b)
}

AVX2 static void dot256(void) {
  CHAINS(ymm, 12, "%{vex%} vpdpbusd", acc, a, b)
}

AVX512 static void float512(void) {
  CHAINS(zmm, 12, "vfmadd231ps", acc, a, b)
}

AVX2 static void float256(void) {
  CHAINS(ymm, 12, "vfmadd231ps", acc, a, b)
}

/* Two vectors of weights whose products are added in 16 bits. */
AVX2 static void offset_run(void) {
  ymm acc[ROWS] = {{0}}, first = {0}, second = {0}, a = {0}, ones = {0};
  for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 6
    for (int r = 0; r < ROWS; r++) {
      ymm low, high;
      MAKE("vpmaddubsw", low, a, first);
      MAKE("vpmaddubsw", high, a, second);
      ADD("vpaddw", low, high);
      MAKE("vpmaddwd", low, low, ones);
      ADD("vpaddd", acc[r], low);
    }
  }
}

/* The same of magnitudes. */
AVX2 static void sign_run(void) {
  ymm acc[ROWS] = {{0}}, first = {0}, second = {0}, a = {0}, b = {0}, ones = {0};
  for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 6
    for (int r = 0; r < ROWS; r++) {
      ymm low, high;
      MAKE("vpsignb", low, first, b);
      MAKE("vpsignb", high, second, b);
      MAKE("vpmaddubsw", low, a, low);
      MAKE("vpmaddubsw", high, a, high);
      ADD("vpaddw", low, high);
      MAKE("vpmaddwd", low, low, ones);
      ADD("vpaddd", acc[r], low);
    }
  }
}

/* Eight vectors of 4-bit weights, a group of 32 inputs, which then meet its multipliers. */
AVX2 static void group(void) {
  ymm acc[ROWS] = {{0}}, weights = {0}, a = {0}, multipliers = {0};
  for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 6
    for (int r = 0; r < ROWS; r++) {
      ymm sums, product;
      MAKE("vpmaddubsw", sums, a, weights);
#pragma GCC unroll 7
      for (int k = 1; k < 8; k++) {
        MAKE("vpmaddubsw", product, a, weights);
        ADD("vpaddw", sums, product);
      }
      MAKE("vpmaddwd", sums, sums, multipliers);
      ADD("vpaddd", acc[r], sums);
    }
  }
}

/* Pairs of 16-bit numbers. */
AVX2 static void pairs(void) {
  ymm acc[ROWS] = {{0}}, first = {0}, a = {0};
  for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 6
    for (int r = 0; r < ROWS; r++) {
      ymm product;
      MAKE("vpmaddwd", product, a, first);
      ADD("vpaddd", acc[r], product);
    }
  }
}

/* The best of some tries: others may take the core now and then. */
static void rate(const char *name, void (*loop)(void), double products_a_round) {
  double least = 1e9;
  for (int i = 0; i < TRIES; i++) {
    double begin = seconds();
    loop();
    double took = seconds() - begin;
    least = took < least ? took : least;
  }
  printf("%s %.1f\n", name, products_a_round * ROUNDS / least / 1e9);
}

static int has_avxvnni(void) {
  unsigned a = 7, b, c = 1, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (a >> 4 & 1) != 0;
}

int main(void) {
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw")) {
    rate("vpdpbusd-zmm", dot512, 12 * 64);
    rate("vfmadd231ps-zmm", float512, 12 * 16);
  }
  if (__builtin_cpu_supports("avx2") && has_avxvnni()) {
    rate("vpdpbusd-ymm", dot256, 12 * 32);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    rate("offset-run", offset_run, ROWS * 64);
    rate("sign-run", sign_run, ROWS * 64);
    rate("group", group, ROWS * 256);
    rate("vpmaddwd", pairs, ROWS * 16);
    rate("vfmadd231ps-ymm", float256, 12 * 8);
  }
  return 0;
}

#else

int main(void) {
  return 0;
}

#endif
