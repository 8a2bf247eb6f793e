/* What follows a product on AVX2: requantization, clamp, GELU or residual. */
#include "avx2.h"
#include "lanes_avx2.h"

#include <string.h>

static inline __m256i load(const int32_t *v) {
  return _mm256_loadu_si256((const __m256i *)v);
}

/* Eight columns. */
static inline __m256i requantize(const int32_t *acc, const struct ivit_requant *q, int column) {
  __m256i z = load(acc);
  if (q->prescaled) {
    __m256i limit = load(q->limit + column);
    z = _mm256_min_epi32(z, limit);
    z = _mm256_max_epi32(z, _mm256_sub_epi32(_mm256_setzero_si256(), limit));
    z = _mm256_sllv_epi32(z, load(q->prescale + column));
  }
  __m256i m = load(q->multiplier + column);
  return ivit_upper_avx2(
      z, m, _mm256_srli_epi64(m, 32), load(q->half + column), load(q->shift + column));
}

void ivit_to8_avx2(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out) {
  uint32_t outliers =
      gelu != NULL && gelu->outliers != NULL ? gelu->outliers[column / IVIT_COLUMNS] : 0;
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    _Alignas(32) uint8_t codes[IVIT_COLUMNS];
    __m256i packed = ivit_pack_codes_avx2(
        requantize(acc, q, column), requantize(acc + 8, q, column + 8),
        requantize(acc + 16, q, column + 16), requantize(acc + 24, q, column + 24));
    uint8_t *to = out[r] + column;
    if (gelu == NULL && n == IVIT_COLUMNS) {
      _mm256_storeu_si256((__m256i *)to, packed);
      continue;
    }
    _mm256_store_si256((__m256i *)codes, packed);
    if (gelu == NULL) {
      memcpy(to, codes, (size_t)n);
      continue;
    }
    for (int c = 0; c < n; c++) {
      to[c] = gelu->table[codes[c]];
    }
    for (uint32_t left = outliers; left != 0; left &= left - 1) {
      int c = __builtin_ctz(left);
      to[c] = gelu->outlier_table[codes[c]];
    }
  }
}

static inline __m256i apply(__m256i codes, const struct ivit_dyadic *d) {
  __m256i z = _mm256_sll_epi32(codes, _mm_cvtsi32_si128(d->prescale));
  __m256i m = _mm256_set1_epi32(d->multiplier);
  return ivit_upper_avx2(z, m, m, _mm256_set1_epi32(d->half), _mm256_set1_epi32(d->shift));
}

void ivit_add16_avx2(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out) {
  const __m256i least = _mm256_set1_epi32(INT16_MIN);
  const __m256i most = _mm256_set1_epi32(INT16_MAX);
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    for (int c = 0; c < n; c += 8) {
      int count = n - c < 8 ? n - c : 8;
      __m128i before = _mm_setzero_si128();
      memcpy(&before, identity[r] + column + c, (size_t)count * sizeof(int16_t));
      __m256i z = requantize(acc + c, q, column + c);
      z = _mm256_min_epi32(_mm256_max_epi32(z, least), most);
      __m256i sum = _mm256_add_epi32(
          apply(z, &adder->branch), apply(_mm256_cvtepi16_epi32(before), &adder->identity));
      __m128i codes =
          _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
      memcpy(out[r] + column + c, &codes, (size_t)count * sizeof(int16_t));
    }
  }
}
