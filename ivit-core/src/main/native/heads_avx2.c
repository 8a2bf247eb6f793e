/*
 * Keys and values of a head as right operands of 16-bit numbers, [pairs along K][32 columns][2]:
 * vpmaddwd multiplies codes of any size, and probabilities of 16 bits at once.
 */
#include "avx2.h"
#include "pack.h"

#include <immintrin.h>
#include <string.h>

static void shape(struct ivit_matrix *m, int columns, int depth) {
  ivit_matrix_columns(m, columns);
  m->groups = (depth + 1) / 2;
  m->panel_size = (size_t)m->groups * 2 * IVIT_COLUMNS * sizeof(int16_t);
}

static int16_t *panel_of(const struct ivit_matrix *m, int panel) {
  return (int16_t *)(void *)(m->data + (size_t)panel * m->panel_size);
}

void ivit_pack_keys_avx2(const struct ivit_head *h, struct ivit_operand *keys) {
  shape(&keys->main, h->tokens, h->dim);
  const __m128i sign = _mm_set1_epi8((char)0x80);
  for (int t = 0; t < h->tokens; t++) {
    const uint8_t *from = h->keys + (size_t)t * h->stride;
    int16_t *to = panel_of(&keys->main, t / IVIT_COLUMNS) + 2 * (t % IVIT_COLUMNS);
    int d = 0;
    for (; d + 16 <= h->dim; d += 16) {
      _Alignas(32) int32_t pairs[8];
      __m128i codes = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(from + d)), sign);
      _mm256_store_si256((__m256i *)pairs, _mm256_cvtepi8_epi16(codes));
      for (int i = 0; i < 8; i++) {
        memcpy(to + (size_t)(d + 2 * i) * IVIT_COLUMNS, &pairs[i], sizeof pairs[i]);
      }
    }
    for (; d < 2 * keys->main.groups; d++) {
      to[(size_t)(d / 2) * 2 * IVIT_COLUMNS + d % 2] =
          d < h->dim ? (int16_t)(from[d] - 128) : 0;
    }
    keys->bias[t] = 0;
  }
}

/* Two rows of up to 32 codes, side by side; a null row is of zeros. */
static void interleave(const uint8_t *a, const uint8_t *b, int n, int16_t *to) {
  const __m128i sign = _mm_set1_epi8((char)0x80);
  int d = 0;
  for (; d + 16 <= n; d += 16) {
    __m128i first = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(a + d)), sign);
    __m128i second = b == NULL
        ? _mm_setzero_si128()
        : _mm_xor_si128(_mm_loadu_si128((const __m128i *)(b + d)), sign);
    __m256i low = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(first, second));
    __m256i high = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(first, second));
    _mm256_store_si256((__m256i *)(to + 2 * d), low);
    _mm256_store_si256((__m256i *)(to + 2 * d + 16), high);
  }
  for (; d < IVIT_COLUMNS; d++) {
    to[2 * d] = d < n ? (int16_t)(a[d] - 128) : 0;
    to[2 * d + 1] = d < n && b != NULL ? (int16_t)(b[d] - 128) : 0;
  }
}

void ivit_pack_values_avx2(const struct ivit_head *h, int bits, struct ivit_operand *values) {
  (void)bits;
  shape(&values->main, h->dim, h->tokens);
  for (int panel = 0; panel < values->main.panels; panel++) {
    int first = panel * IVIT_COLUMNS;
    int n = h->dim - first < IVIT_COLUMNS ? h->dim - first : IVIT_COLUMNS;
    int16_t *to = panel_of(&values->main, panel);
    for (int t = 0; t < h->tokens; t += 2, to += 2 * IVIT_COLUMNS) {
      const uint8_t *a = h->values + (size_t)t * h->stride + first;
      interleave(a, t + 1 < h->tokens ? a + h->stride : NULL, n, to);
    }
  }
}
