/* Gated values on AVX2. */
#include "avx2.h"
#include "requantize_avx2.h"

#include <string.h>

/* Thirty-two numbers of 16 bits in order. */
struct words {
  __m256i first, second;
};

/* Entries of the table, one by one: 32 shuffles, two for each sixteen entries, take as long. */
static inline __m128i entries(const int16_t *t, const uint8_t *g) {
  return _mm_setr_epi16(t[g[0]], t[g[1]], t[g[2]], t[g[3]], t[g[4]], t[g[5]], t[g[6]], t[g[7]]);
}

/* Eight entries times values, requantized. */
static inline __attribute__((always_inline)) __m256i eight(
    __m128i table, __m128i values, const struct ivit_requant *q, int column, const int prescaled) {
  /* The upper half of each entry is zero, so the value's does not count. */
  __m256i product =
      _mm256_madd_epi16(_mm256_cvtepu16_epi32(table), _mm256_cvtepi8_epi32(values));
  return ivit_requantize_at_avx2(product, q, column, prescaled);
}

/* Sixteen of them, clamped to 16 bits. */
static inline __attribute__((always_inline)) __m256i sixteen(
    const uint8_t *gate, const uint8_t *value, const struct ivit_gating *g, int column,
    const int prescaled) {
  __m128i values = _mm_xor_si128(
      _mm_loadu_si128((const __m128i *)value), _mm_set1_epi8((char)0x80));
  return ivit_pack_words_avx2(
      eight(entries(g->table, gate), values, &g->product, column, prescaled),
      eight(
          entries(g->table, gate + 8), _mm_srli_si128(values, 8), &g->product, column + 8,
          prescaled));
}

static inline __attribute__((always_inline)) struct words gated(
    const uint8_t *gate, const uint8_t *value, const struct ivit_gating *g, int column,
    const int prescaled) {
  struct words words = {
      sixteen(gate, value, g, column, prescaled),
      sixteen(gate + 16, value + 16, g, column + 16, prescaled)};
  return words;
}

static struct words gated_at(
    const uint8_t *gates, const uint8_t *values, const struct ivit_gating *g, int column) {
  return g->product.prescaled ? gated(gates + column, values + column, g, column, 1)
                              : gated(gates + column, values + column, g, column, 0);
}

void ivit_gate8_avx2(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *out) {
  for (int r = 0; r < rows; r++) {
    struct words words = gated_at(gates[r], values[r], g, column);
    __m256i codes = ivit_codes_of_words_avx2(words.first, words.second);
    if (n == IVIT_COLUMNS) {
      _mm256_storeu_si256((__m256i *)(out[r] + column), codes);
    } else {
      memcpy(out[r] + column, &codes, (size_t)n);
    }
  }
}

void ivit_gate16_avx2(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out) {
  for (int r = 0; r < rows; r++) {
    struct words words = gated_at(gates[r], values[r], g, column);
    if (n == IVIT_COLUMNS) {
      _mm256_storeu_si256((__m256i *)(out[r] + column), words.first);
      _mm256_storeu_si256((__m256i *)(out[r] + column + 16), words.second);
    } else {
      memcpy(out[r] + column, &words, (size_t)n * sizeof(int16_t));
    }
  }
}
