/* Requantization of accumulators on AVX-512. */
#ifndef IVIT_REQUANTIZE_AVX512_H
#define IVIT_REQUANTIZE_AVX512_H

#include "ivit.h"
#include "lanes_avx512.h"

/* Constants of 16 columns. */
struct ivit_columns_avx512 {
  __m512i limit, prescale, multiplier, odd, half, shift;
};

static inline struct ivit_columns_avx512 ivit_columns_at_avx512(
    const struct ivit_requant *q, int column) {
  struct ivit_columns_avx512 c;
  c.limit = _mm512_loadu_si512(q->limit + column);
  c.prescale = _mm512_loadu_si512(q->prescale + column);
  c.multiplier = _mm512_loadu_si512(q->multiplier + column);
  c.odd = ivit_odd_lanes(c.multiplier);
  c.half = _mm512_loadu_si512(q->half + column);
  c.shift = _mm512_loadu_si512(q->shift + column);
  return c;
}

/* The first multiplier for all lanes. */
static inline struct ivit_columns_avx512 ivit_first_column_avx512(const struct ivit_requant *q) {
  struct ivit_columns_avx512 c;
  c.limit = _mm512_set1_epi32(q->limit[0]);
  c.prescale = _mm512_set1_epi32(q->prescale[0]);
  c.multiplier = _mm512_set1_epi32(q->multiplier[0]);
  c.odd = c.multiplier;
  c.half = _mm512_set1_epi32(q->half[0]);
  c.shift = _mm512_set1_epi32(q->shift[0]);
  return c;
}

/* Every other of 32 numbers: from the first, or the second, where `odd`. */
static inline __m512i ivit_every_other_avx512(const int32_t *from, const int odd) {
  const __m512i even =
      _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_epi32(
      _mm512_loadu_si512(from), _mm512_add_epi32(even, _mm512_set1_epi32(odd)),
      _mm512_loadu_si512(from + 16));
}

/* Constants of every other of 32 columns. */
static inline struct ivit_columns_avx512 ivit_every_other_column_avx512(
    const struct ivit_requant *q, int column, const int odd) {
  struct ivit_columns_avx512 c;
  c.limit = ivit_every_other_avx512(q->limit + column, odd);
  c.prescale = ivit_every_other_avx512(q->prescale + column, odd);
  c.multiplier = ivit_every_other_avx512(q->multiplier + column, odd);
  c.odd = ivit_odd_lanes(c.multiplier);
  c.half = ivit_every_other_avx512(q->half + column, odd);
  c.shift = ivit_every_other_avx512(q->shift + column, odd);
  return c;
}

static inline __attribute__((always_inline)) __m512i ivit_requantize_avx512(
    __m512i z, const struct ivit_columns_avx512 *c, const int prescaled) {
  if (prescaled) {
    z = _mm512_min_epi32(z, c->limit);
    z = _mm512_max_epi32(z, _mm512_sub_epi32(_mm512_setzero_si512(), c->limit));
    z = _mm512_sllv_epi32(z, c->prescale);
  }
  return ivit_upper_avx512(z, c->multiplier, c->odd, c->half, c->shift);
}

#endif
