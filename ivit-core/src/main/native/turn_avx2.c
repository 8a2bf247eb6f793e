/* Queries, keys and values turned by rotary positions, on AVX2. */
#include "avx2.h"
#include "requantize_avx2.h"

#include <string.h>

static inline __m256i words_at(const int16_t *words) {
  return _mm256_loadu_si256((const __m256i *)words);
}

/* Sixteen columns, clamped to 16 bits. */
static inline __attribute__((always_inline)) __m256i turned_words(
    const int32_t *acc, const struct ivit_requant *q, const struct ivit_columns_avx2 *all,
    int column, const int16_t *turns, const int prescaled) {
  __m256i words = ivit_pack_words_avx2(
      ivit_requantize_at_avx2(ivit_load_avx2(acc), q, column, prescaled),
      ivit_requantize_at_avx2(ivit_load_avx2(acc + 8), q, column + 8, prescaled));
  __m256i even = _mm256_madd_epi16(words, words_at(turns));
  __m256i odd = _mm256_madd_epi16(words, words_at(turns + IVIT_COLUMNS));
  return ivit_words_of_pairs_avx2(
      ivit_requantize_avx2(even, all, prescaled), ivit_requantize_avx2(odd, all, prescaled));
}

static inline __attribute__((always_inline)) void turn8(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out, const int prescaled) {
  struct ivit_columns_avx2 all = ivit_first_column_avx2(turned);
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    __m256i codes = ivit_codes_of_words_avx2(
        turned_words(acc, q, &all, column, turns[r], prescaled),
        turned_words(acc + 16, q, &all, column + 16, turns[r] + 16, prescaled));
    if (n == IVIT_COLUMNS) {
      _mm256_storeu_si256((__m256i *)(out[r] + column), codes);
    } else {
      memcpy(out[r] + column, &codes, (size_t)n);
    }
  }
}

void ivit_turn8_avx2(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out) {
  if (q->prescaled || turned->prescaled) {
    turn8(acc, rows, q, turned, column, n, turns, out, 1);
  } else {
    turn8(acc, rows, q, turned, column, n, turns, out, 0);
  }
}
