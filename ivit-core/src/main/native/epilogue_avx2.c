/* What follows a product on AVX2: requantization, clamp, GELU or residual. */
#include "avx2.h"
#include "requantize_avx2.h"

#include <string.h>

/* Eight columns. */
static inline __attribute__((always_inline)) __m256i requantize(
    const int32_t *acc, const struct ivit_requant *q, int column, const int prescaled) {
  return ivit_requantize_at_avx2(ivit_load_avx2(acc), q, column, prescaled);
}

static inline __m256i gelu_of(const struct ivit_gelu *gelu, __m256i codes, uint32_t outliers) {
  __m256i values = ivit_look_up_avx2(gelu->table, codes);
  if (outliers != 0) {
    values = _mm256_blendv_epi8(
        values, ivit_look_up_avx2(gelu->outlier_table, codes), ivit_bytes_of_bits_avx2(outliers));
  }
  return values;
}

static inline __attribute__((always_inline)) void to8(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out, const int prescaled) {
  uint32_t outliers =
      gelu != NULL && gelu->outliers != NULL ? gelu->outliers[column / IVIT_COLUMNS] : 0;
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    __m256i codes = ivit_pack_codes_avx2(
        requantize(acc, q, column, prescaled), requantize(acc + 8, q, column + 8, prescaled),
        requantize(acc + 16, q, column + 16, prescaled),
        requantize(acc + 24, q, column + 24, prescaled));
    if (gelu != NULL) {
      codes = gelu_of(gelu, codes, outliers);
    }
    if (n == IVIT_COLUMNS) {
      _mm256_storeu_si256((__m256i *)(out[r] + column), codes);
    } else {
      memcpy(out[r] + column, &codes, (size_t)n);
    }
  }
}

void ivit_to8_avx2(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out) {
  if (q->prescaled) {
    to8(acc, rows, q, gelu, column, n, out, 1);
  } else {
    to8(acc, rows, q, gelu, column, n, out, 0);
  }
}

/* A multiplier for all lanes. */
struct scalar {
  __m256i multiplier, half, shift;
  __m128i prescale;
};

static inline struct scalar scalar_of(const struct ivit_dyadic *d) {
  struct scalar s;
  s.multiplier = _mm256_set1_epi32(d->multiplier);
  s.half = _mm256_set1_epi32(d->half);
  s.shift = _mm256_set1_epi32(d->shift);
  s.prescale = _mm_cvtsi32_si128(d->prescale);
  return s;
}

static inline __m256i apply(__m256i codes, const struct scalar *s) {
  __m256i z = _mm256_sll_epi32(codes, s->prescale);
  return ivit_upper_avx2(z, s->multiplier, s->multiplier, s->half, s->shift);
}

static inline __attribute__((always_inline)) void add16(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out, const int prescaled) {
  const __m256i least = _mm256_set1_epi32(INT16_MIN);
  const __m256i most = _mm256_set1_epi32(INT16_MAX);
  struct scalar branch = scalar_of(&adder->branch);
  struct scalar same = scalar_of(&adder->identity);
  for (int c = 0; c < n; c += 8) {
    size_t bytes = (size_t)(n - c < 8 ? n - c : 8) * sizeof(int16_t);
    for (int r = 0; r < rows; r++) {
      const int16_t *from = identity[r] + column + c;
      __m128i before = _mm_setzero_si128();
      if (bytes == sizeof before) {
        before = _mm_loadu_si128((const __m128i *)from);
      } else {
        memcpy(&before, from, bytes);
      }
      __m256i z = requantize(acc + r * IVIT_COLUMNS + c, q, column + c, prescaled);
      z = _mm256_min_epi32(_mm256_max_epi32(z, least), most);
      __m256i sum =
          _mm256_add_epi32(apply(z, &branch), apply(_mm256_cvtepi16_epi32(before), &same));
      __m128i codes =
          _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
      if (bytes == sizeof codes) {
        _mm_storeu_si128((__m128i *)(out[r] + column + c), codes);
      } else {
        memcpy(out[r] + column + c, &codes, bytes);
      }
    }
  }
}

void ivit_add16_avx2(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out) {
  if (q->prescaled) {
    add16(acc, rows, q, adder, column, n, identity, out, 1);
  } else {
    add16(acc, rows, q, adder, column, n, identity, out, 0);
  }
}
