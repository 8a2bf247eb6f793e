/* Weights that decode_dot.c packs as indices, on AVX-512. */
#include "avx512.h"
#include "indices.h"

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

/* Multipliers of sixteen columns, in each word of a column's four codes. */
static inline __m512i words_of(const uint8_t *multiplier) {
  __m512i m = _mm512_cvtepu8_epi32(_mm_load_si128((const __m128i *)multiplier));
  return _mm512_or_si512(m, _mm512_slli_epi32(m, 16));
}

/* A field of each byte, from bit 8 - bits on; other bits are anything. */
static inline __attribute__((always_inline)) __m512i field_of(
    __m512i fields, const int bits, const int field) {
  const int up = 8 - bits - (bits - 4) * field;
  return up < 0 ? _mm512_srli_epi16(fields, (unsigned)(up < 0 ? -up : 0))
                : _mm512_slli_epi16(fields, (unsigned)(up < 0 ? 0 : up));
}

/*
 * Numbers q * 2^(8 - bits) of all bytes times their multipliers m * 2^(bits - shift), at most 254, with zeros
 * between them: so vpmaddubsw gives q * m * 2^(8 - shift) of each second byte, of which, half a code more,
 * the upper byte is the code.
 */
static inline __m512i rounded(__m512i numbers, __m512i of_even, __m512i of_odd) {
  const __m512i half = _mm512_set1_epi16(0x80);
  __m512i even = _mm512_add_epi16(_mm512_maddubs_epi16(of_even, numbers), half);
  __m512i odd = _mm512_add_epi16(_mm512_maddubs_epi16(of_odd, numbers), half);
  enum { CHOICE_BY_FIRST = 0xCA };
  return _mm512_ternarylogic_epi32(
      _mm512_set1_epi16(0x00FF), _mm512_srli_epi16(even, 8), odd, CHOICE_BY_FIRST);
}

static inline __attribute__((always_inline)) void decode_wide(
    const struct ivit_matrix *m, int panel, int8_t *to, const int bits) {
  enum { VECTORS = IVIT_GROUP * IVIT_COLUMNS / VECTOR, BOTH_OR_LAST = 0xEA };
  const int per_byte = ivit_fields(bits);
  const __m512i upper_half = _mm512_set1_epi8((char)0xF0);
  const __m512i lowest = _mm512_set1_epi8((char)(0x10 - (1 << (8 - bits))));
  const uint8_t *index = packed(m, panel);
  const uint8_t *fields = ivit_fields_of(index, m->panel_size);
  const uint8_t *multiplier = index + ivit_indices_size(m->panel_size, bits);
  const int8_t *end = to + m->panel_size;
  const __m128i scale = _mm_cvtsi32_si128(bits - m->shift);
  for (; to < end; multiplier += IVIT_COLUMNS) {
    __m512i even[2], odd[2];
    for (int h = 0; h < 2; h++) {
      even[h] = _mm512_sll_epi16(words_of(multiplier + 16 * h), scale);
      odd[h] = _mm512_slli_epi16(even[h], 8);
    }
    for (int v = 0; v < VECTORS; v += per_byte, fields += VECTOR) {
      __m512i of_bytes = _mm512_load_si512(fields);
#pragma GCC unroll 8
      for (int f = 0; f < per_byte; f++, to += VECTOR) {
        __m512i upper_bits = _mm512_load_si512(index + f / 2 * VECTOR);
        upper_bits = f % 2 == 0 ? _mm512_slli_epi16(upper_bits, 4) : upper_bits;
        __m512i lower_bits = _mm512_and_si512(field_of(of_bytes, bits, f), lowest);
        __m512i numbers = _mm512_ternarylogic_epi32(
            upper_bits, upper_half, lower_bits, BOTH_OR_LAST);
        _mm512_store_si512(to, rounded(numbers, even[f % 2], odd[f % 2]));
      }
      index += per_byte / 2 * VECTOR;
    }
  }
}

void ivit_decode_wide_groups_avx512(const struct ivit_matrix *m, int panel, int8_t *to) {
  if (m->bits == 5) {
    decode_wide(m, panel, to, 5);
  } else {
    decode_wide(m, panel, to, 6);
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

/* Entries of the tables of a place's columns: table[1] has those that bit `place` of a field asks for. */
static inline __attribute__((always_inline)) __m512i look_up(
    const __m512i table[][4], const int place, __m512i low, __m512i fields, const int bits) {
  __m512i found = _mm512_shuffle_epi8(table[0][place], low);
  if (bits == 4) {
    return found;
  }
  __mmask64 fifth = _mm512_movepi8_mask(_mm512_slli_epi16(fields, (unsigned)(7 - place)));
  return _mm512_mask_shuffle_epi8(found, fifth, table[1][place], low);
}

static inline __attribute__((always_inline)) void decode_tables(
    const struct ivit_matrix *m, int panel, int8_t *to, const int bits) {
  enum { STEP = 16 * IVIT_COLUMNS /* codes */ };
  const int sixteenths = 1 << (bits - 4);
  const uint8_t *indices = packed(m, panel);
  const uint8_t *tables = indices + ivit_indices_size(m->panel_size, bits);
  for (int h = 0; h < 2; h++) {
    __m512i t[2][4];
    for (int i = 0; i < 4 * sixteenths; i++) {
      t[i / 4][i % 4] = _mm512_load_si512(tables + i / 4 * STEP + (4 * h + i % 4) * VECTOR);
    }
    const uint8_t *index = indices + 2 * VECTOR * h;
    /* Both halves of the columns share a vector of fields. */
    const uint8_t *fields = ivit_fields_of(indices, m->panel_size);
    int8_t *out = to + VECTOR * h;
    for (; out < to + m->panel_size; out += STEP, index += STEP / 2) {
      __m512i of_bytes = bits == 4 ? _mm512_setzero_si512() : _mm512_load_si512(fields);
      of_bytes = _mm512_srl_epi16(of_bytes, _mm_cvtsi32_si128(4 * h));
      __m512i first = _mm512_load_si512(index), second = _mm512_load_si512(index + VECTOR);
      __m512i v[] = {
          look_up(t, 0, lower(first), of_bytes, bits),
          look_up(t, 1, upper(first), of_bytes, bits),
          look_up(t, 2, lower(second), of_bytes, bits),
          look_up(t, 3, upper(second), of_bytes, bits)};
      transpose(v, out);
      fields += VECTOR;
    }
  }
  ivit_clear_dot(m, to);
}

void ivit_decode_tables_avx512(const struct ivit_matrix *m, int panel, int8_t *to) {
  if (m->bits == 4) {
    decode_tables(m, panel, to, 4);
  } else {
    decode_tables(m, panel, to, 5);
  }
}
