/* Gated values on AVX2. */
#include "avx2.h"
#include "requantize_avx2.h"

#include <string.h>

/* Thirty-two numbers of 16 bits in order. */
struct words {
  __m256i first, second;
};

static inline __m256i codes_at(const uint8_t *codes) {
  return _mm256_loadu_si256((const __m256i *)codes);
}

/* Entries of the table. */
static inline struct words look_up(const struct ivit_gating *g, __m256i codes) {
  __m256i low = ivit_look_up_avx2(g->low, codes);
  __m256i high = ivit_look_up_avx2(g->high, codes);
  /* Unpacking works by halves. */
  __m256i a = _mm256_unpacklo_epi8(low, high), b = _mm256_unpackhi_epi8(low, high);
  struct words table = {
      _mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31)};
  return table;
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
    __m256i table, __m128i values, const struct ivit_requant *q, int column, const int prescaled) {
  return ivit_pack_words_avx2(
      eight(_mm256_castsi256_si128(table), values, q, column, prescaled),
      eight(
          _mm256_extracti128_si256(table, 1), _mm_srli_si128(values, 8), q, column + 8,
          prescaled));
}

static inline __attribute__((always_inline)) struct words gated(
    const uint8_t *gate, const uint8_t *value, const struct ivit_gating *g, int column,
    const int prescaled) {
  struct words table = look_up(g, codes_at(gate));
  __m256i values = _mm256_xor_si256(codes_at(value), _mm256_set1_epi8((char)0x80));
  struct words result = {
      sixteen(table.first, _mm256_castsi256_si128(values), &g->product, column, prescaled),
      sixteen(
          table.second, _mm256_extracti128_si256(values, 1), &g->product, column + 16, prescaled)};
  return result;
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
    memcpy(out[r] + column, &codes, (size_t)n);
  }
}

void ivit_gate16_avx2(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out) {
  for (int r = 0; r < rows; r++) {
    struct words words = gated_at(gates[r], values[r], g, column);
    memcpy(out[r] + column, &words, (size_t)n * sizeof(int16_t));
  }
}
