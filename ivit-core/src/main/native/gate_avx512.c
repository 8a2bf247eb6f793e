/* Gated values on AVX-512. */
#include "avx512.h"
#include "requantize_avx512.h"

/* The table in registers, and the constants of 32 columns. */
struct gating {
  struct ivit_table_avx512 low, high;
  struct ivit_columns_avx512 even, odd;
};

static inline struct gating gating_at(const struct ivit_gating *g, int column) {
  struct gating at = {
      ivit_table_load(g->low), ivit_table_load(g->high),
      ivit_every_other_column_avx512(&g->product, column, 0),
      ivit_every_other_column_avx512(&g->product, column, 1)};
  return at;
}

static inline __m256i half_of(__m512i v, const int half) {
  return half ? _mm512_extracti64x4_epi64(v, 1) : _mm512_castsi512_si256(v);
}

/* Thirty-two entries of the table times values, requantized and clamped to 16 bits. */
static inline __attribute__((always_inline)) __m512i gated(
    __m512i low, __m512i high, const int half, const uint8_t *value, const struct gating *g,
    const int prescaled) {
  __m512i table = _mm512_or_si512(
      _mm512_cvtepu8_epi16(half_of(low, half)),
      _mm512_slli_epi16(_mm512_cvtepu8_epi16(half_of(high, half)), 8));
  __m256i codes = _mm256_xor_si256(
      _mm256_loadu_si256((const __m256i *)value), _mm256_set1_epi8((char)0x80));
  __m512i words = _mm512_cvtepi8_epi16(codes);
  __m512i even = _mm512_madd_epi16(_mm512_maskz_mov_epi16(0x55555555, table), words);
  __m512i odd = _mm512_madd_epi16(_mm512_maskz_mov_epi16(0xAAAAAAAA, table), words);
  return ivit_words_of_pairs_avx512(
      ivit_requantize_avx512(even, &g->even, prescaled),
      ivit_requantize_avx512(odd, &g->odd, prescaled));
}

/* The codes of two rows, side by side. */
static inline __m512i rows_at(const uint8_t *first, const uint8_t *second) {
  __m512i codes = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)first));
  return _mm512_inserti64x4(codes, _mm256_loadu_si256((const __m256i *)second), 1);
}

/* To codes or, where these are null, to words. */
static inline __attribute__((always_inline)) void gate(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *codes, int16_t *const *words,
    const int prescaled) {
  struct gating at = gating_at(g, column);
  __mmask32 store = n >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << n) - 1;
  for (int r = 0; r < rows; r += 2) {
    int next = r + 1 < rows ? r + 1 : r;
    __m512i both = rows_at(gates[r] + column, gates[next] + column);
    __m512i low = ivit_table_look_up(&at.low, both);
    __m512i high = ivit_table_look_up(&at.high, both);
    __m512i first = gated(low, high, 0, values[r] + column, &at, prescaled);
    __m512i second = gated(low, high, 1, values[next] + column, &at, prescaled);
    if (codes != NULL) {
      _mm256_mask_storeu_epi8(codes[r] + column, store, ivit_codes_of_words_avx512(first));
      _mm256_mask_storeu_epi8(codes[next] + column, store, ivit_codes_of_words_avx512(second));
    } else {
      _mm512_mask_storeu_epi16(words[r] + column, store, first);
      _mm512_mask_storeu_epi16(words[next] + column, store, second);
    }
  }
}

void ivit_gate8_avx512(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *out) {
  if (g->product.prescaled) {
    gate(gates, values, rows, g, column, n, out, NULL, 1);
  } else {
    gate(gates, values, rows, g, column, n, out, NULL, 0);
  }
}

void ivit_gate16_avx512(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out) {
  if (g->product.prescaled) {
    gate(gates, values, rows, g, column, n, NULL, out, 1);
  } else {
    gate(gates, values, rows, g, column, n, NULL, out, 0);
  }
}
