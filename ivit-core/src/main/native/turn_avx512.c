/* Queries, keys and values turned by rotary positions, on AVX-512. */
#include "avx512.h"
#include "requantize_avx512.h"

static inline __attribute__((always_inline)) void turn8(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out, const int prescaled) {
  struct ivit_columns_avx512 left = ivit_columns_at_avx512(q, column);
  struct ivit_columns_avx512 right = ivit_columns_at_avx512(q, column + 16);
  struct ivit_columns_avx512 all = ivit_first_column_avx512(turned);
  /* Packing works by quarters. */
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  __mmask32 store = n >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << n) - 1;
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    __m512i words = _mm512_packs_epi32(
        ivit_requantize_avx512(_mm512_loadu_si512(acc), &left, prescaled),
        ivit_requantize_avx512(_mm512_loadu_si512(acc + 16), &right, prescaled));
    words = _mm512_permutexvar_epi64(order, words);
    __m512i even = _mm512_madd_epi16(words, _mm512_loadu_si512(turns[r]));
    __m512i odd = _mm512_madd_epi16(words, _mm512_loadu_si512(turns[r] + IVIT_COLUMNS));
    words = ivit_words_of_pairs_avx512(
        ivit_requantize_avx512(even, &all, prescaled),
        ivit_requantize_avx512(odd, &all, prescaled));
    _mm256_mask_storeu_epi8(out[r] + column, store, ivit_codes_of_words_avx512(words));
  }
}

void ivit_turn8_avx512(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out) {
  if (q->prescaled || turned->prescaled) {
    turn8(acc, rows, q, turned, column, n, turns, out, 1);
  } else {
    turn8(acc, rows, q, turned, column, n, turns, out, 0);
  }
}
