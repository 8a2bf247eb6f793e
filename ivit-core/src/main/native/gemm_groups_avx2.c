/*
 * Products of 4-bit weights with multipliers on AVX2: the sums of a group in 16 bits, which hold
 * whatever the weights are, then one vpmaddwd by its multipliers
 * (docs/arithmetic.md#sixteen-bits-that-hold). Up to 4 rows by 16 columns at a time.
 */
#include "plan_avx2.h"

#include <immintrin.h>
#include <string.h>

enum { HALF = 16 /* columns */ };

static inline __m256i four_codes(const uint8_t *x) {
  int32_t codes;
  memcpy(&codes, x, sizeof codes);
  return _mm256_set1_epi32(codes);
}

static inline __m256i load(const void *v) {
  return _mm256_load_si256((const __m256i *)v);
}

/* The products of four places along K, to `sums` or, where they are the first, as these. */
static inline __attribute__((always_inline)) void multiply(
    const int first, const int rows, const uint8_t *x, size_t ldx, const int8_t *weights,
    __m256i sums[][2]) {
  __m256i left = load(weights), right = load(weights + 2 * HALF);
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    __m256i codes = four_codes(x + (size_t)r * ldx);
    __m256i a = _mm256_maddubs_epi16(codes, left), b = _mm256_maddubs_epi16(codes, right);
    sums[r][0] = first ? a : _mm256_add_epi16(sums[r][0], a);
    sums[r][1] = first ? b : _mm256_add_epi16(sums[r][1], b);
    /* Otherwise GCC orders the additions anew, for which it runs out of registers. */
    __asm__("" : "+x"(sums[r][0]), "+x"(sums[r][1]));
  }
}

static inline __attribute__((always_inline)) void add_group(
    const int rows, const uint8_t *x, size_t ldx, const int8_t *weights,
    const int8_t *multipliers, int32_t *out) {
  __m256i sums[IVIT_GROUP_ROWS_AVX2][2];
  multiply(1, rows, x, ldx, weights, sums);
#pragma GCC unroll 7
  for (int k = 4; k < IVIT_GROUP; k += 4) {
    multiply(0, rows, x + k, ldx, weights + k * IVIT_COLUMNS, sums);
  }
  __m256i left = load(multipliers), right = load(multipliers + 2 * HALF);
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    __m256i *to = (__m256i *)(out + r * IVIT_COLUMNS);
    to[0] = _mm256_add_epi32(to[0], _mm256_madd_epi16(sums[r][0], left));
    to[1] = _mm256_add_epi32(to[1], _mm256_madd_epi16(sums[r][1], right));
  }
}

static inline __attribute__((always_inline)) void groups_of(
    const int rows, const uint8_t *x, size_t ldx, const int8_t *panel, int groups, int32_t *out) {
  for (int column = 0; column < IVIT_COLUMNS; column += HALF) {
    const int8_t *weights = panel + 4 * column;
    const uint8_t *codes = x;
    for (int g = 0; g < groups; g++, weights += IVIT_GROUP_AVX2, codes += IVIT_GROUP) {
      add_group(rows, codes, ldx, weights, weights + IVIT_GROUP * IVIT_COLUMNS, out + column);
    }
  }
}

/* Functions of their own, so that GCC keeps the sums of each in registers. */
#define OF_ROWS(rows)                                                                \
  static __attribute__((noinline)) void groups_##rows(                               \
      const uint8_t *x, size_t ldx, const int8_t *panel, int groups, int32_t *out) { \
    groups_of(rows, x, ldx, panel, groups, out);                                     \
  }
OF_ROWS(1)
OF_ROWS(2)
OF_ROWS(3)
OF_ROWS(4)

void ivit_add_groups_avx2(
    const uint8_t *x, size_t ldx, int rows, const struct ivit_matrix *m, int32_t *out) {
  int groups = (m->depth + IVIT_GROUP - 1) / IVIT_GROUP;
  switch (rows) {
    case 4: groups_4(x, ldx, m->data, groups, out); break;
    case 3: groups_3(x, ldx, m->data, groups, out); break;
    case 2: groups_2(x, ldx, m->data, groups, out); break;
    default: groups_1(x, ldx, m->data, groups, out); break;
  }
}
