/* Requantization of accumulators on AVX2. */
#ifndef IVIT_REQUANTIZE_AVX2_H
#define IVIT_REQUANTIZE_AVX2_H

#include "ivit.h"
#include "lanes_avx2.h"

static inline __m256i ivit_load_avx2(const int32_t *v) {
  return _mm256_loadu_si256((const __m256i *)v);
}

/* The multipliers of eight columns. */
struct ivit_columns_avx2 {
  __m256i limit, prescale, multiplier, odd, half, shift;
};

static inline struct ivit_columns_avx2 ivit_columns_at_avx2(
    const struct ivit_requant *q, int column) {
  struct ivit_columns_avx2 c;
  c.limit = ivit_load_avx2(q->limit + column);
  c.prescale = ivit_load_avx2(q->prescale + column);
  c.multiplier = ivit_load_avx2(q->multiplier + column);
  c.odd = _mm256_srli_epi64(c.multiplier, 32);
  c.half = ivit_load_avx2(q->half + column);
  c.shift = ivit_load_avx2(q->shift + column);
  return c;
}

/* The first multiplier for all lanes. */
static inline struct ivit_columns_avx2 ivit_first_column_avx2(const struct ivit_requant *q) {
  struct ivit_columns_avx2 c;
  c.limit = _mm256_set1_epi32(q->limit[0]);
  c.prescale = _mm256_set1_epi32(q->prescale[0]);
  c.multiplier = _mm256_set1_epi32(q->multiplier[0]);
  c.odd = c.multiplier;
  c.half = _mm256_set1_epi32(q->half[0]);
  c.shift = _mm256_set1_epi32(q->shift[0]);
  return c;
}

static inline __attribute__((always_inline)) __m256i ivit_requantize_avx2(
    __m256i z, const struct ivit_columns_avx2 *c, const int prescaled) {
  if (prescaled) {
    z = _mm256_min_epi32(z, c->limit);
    z = _mm256_max_epi32(z, _mm256_sub_epi32(_mm256_setzero_si256(), c->limit));
    z = _mm256_sllv_epi32(z, c->prescale);
  }
  return ivit_upper_avx2(z, c->multiplier, c->odd, c->half, c->shift);
}

/* Accumulators of eight columns from `column` on. */
static inline __attribute__((always_inline)) __m256i ivit_requantize_at_avx2(
    __m256i z, const struct ivit_requant *q, int column, const int prescaled) {
  struct ivit_columns_avx2 c = ivit_columns_at_avx2(q, column);
  return ivit_requantize_avx2(z, &c, prescaled);
}

#endif
