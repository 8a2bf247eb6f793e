/* Weights of 4 bits, packed by decode_dot.c, on AVX-512. */
#include "avx512.h"

#include <immintrin.h>

enum { VECTOR = 64, CODES = 2 * VECTOR /* of a group */ };

static inline __m512i lower(__m512i v) {
  return _mm512_and_si512(v, _mm512_set1_epi8(0x0F));
}

static inline __m512i upper(__m512i v) {
  return lower(_mm512_srli_epi16(v, 4));
}

static inline const uint8_t *packed(const struct ivit_matrix *m, int panel) {
  return (const uint8_t *)m->data + (size_t)panel * m->packed_size;
}

/* i * m - 8 * m; of two indices in a word, the product of the lower one stays below 2^8. */
static inline __m512i multiplied(__m512i index, __m512i words, __m512i eight_times) {
  return _mm512_sub_epi8(_mm512_mullo_epi16(index, words), eight_times);
}

void ivit_decode_groups_avx512(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *index = packed(m, panel);
  const uint8_t *multiplier = index + m->panel_size / 2;
  const uint8_t *end = multiplier;
  const __m512i four_times = _mm512_set1_epi32(0x01010101);
  for (; index < end; multiplier += IVIT_COLUMNS) {
    __m512i words[2], eights[2];
    for (int h = 0; h < 2; h++) {
      __m512i bytes = _mm512_cvtepu8_epi32(
          _mm_load_si128((const __m128i *)(multiplier + 16 * h)));
      bytes = _mm512_mullo_epi32(bytes, four_times);
      words[h] = _mm512_and_si512(bytes, _mm512_set1_epi16(0xFF));
      eights[h] = _mm512_slli_epi32(bytes, 3);
    }
    for (int k = 0; k < IVIT_GROUP / 4; k++, index += VECTOR, to += CODES) {
      __m512i two = _mm512_load_si512(index);
      _mm512_store_si512(to, multiplied(lower(two), words[0], eights[0]));
      _mm512_store_si512(to + VECTOR, multiplied(upper(two), words[1], eights[1]));
    }
  }
}

/*
 * Sixteen places along K of sixteen columns, of which lane l of vector i has column 4 l + i, to groups
 * of four.
 */
static inline void transpose(const __m512i *v, int8_t *to) {
  __m512i a = _mm512_unpacklo_epi32(v[0], v[1]), b = _mm512_unpacklo_epi32(v[2], v[3]);
  __m512i c = _mm512_unpackhi_epi32(v[0], v[1]), d = _mm512_unpackhi_epi32(v[2], v[3]);
  _mm512_store_si512(to, _mm512_unpacklo_epi64(a, b));
  _mm512_store_si512(to + CODES, _mm512_unpackhi_epi64(a, b));
  _mm512_store_si512(to + 2 * CODES, _mm512_unpacklo_epi64(c, d));
  _mm512_store_si512(to + 3 * CODES, _mm512_unpackhi_epi64(c, d));
}

void ivit_decode_tables_avx512(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *index = packed(m, panel);
  const uint8_t *tables = index + m->panel_size / 2;
  __m512i t[8];
  for (int i = 0; i < 8; i++) {
    t[i] = _mm512_load_si512(tables + VECTOR * i);
  }
  int8_t *out = to;
  for (; index < tables; out += 4 * CODES) {
    for (int h = 0; h < 2; h++, index += 2 * VECTOR) {
      __m512i first = _mm512_load_si512(index), second = _mm512_load_si512(index + VECTOR);
      __m512i v[] = {
          _mm512_shuffle_epi8(t[4 * h], lower(first)),
          _mm512_shuffle_epi8(t[4 * h + 1], upper(first)),
          _mm512_shuffle_epi8(t[4 * h + 2], lower(second)),
          _mm512_shuffle_epi8(t[4 * h + 3], upper(second))};
      transpose(v, out + VECTOR * h);
    }
  }
  ivit_clear_dot(m, to);
}
