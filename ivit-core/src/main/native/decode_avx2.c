/* Weights that decode_dot.c packs as indices, on AVX2. */
#include "avx2.h"
#include "indices.h"
#include "lanes_avx2.h"
#include "plan_avx2.h"

#include <immintrin.h>

enum { BLOCK = 32 /* bytes of eight columns of a group */, BLOCKS = 4, CODES = BLOCKS * BLOCK };

static inline __m256i load(const void *v) {
  return _mm256_load_si256((const __m256i *)v);
}

static inline void store(int8_t *to, __m256i v) {
  _mm256_store_si256((__m256i *)to, v);
}

static inline __m256i lower(__m256i v) {
  return _mm256_and_si256(v, _mm256_set1_epi8(0x0F));
}

static inline __m256i upper(__m256i v) {
  return lower(_mm256_srli_epi16(v, 4));
}

static inline const uint8_t *packed(const struct ivit_matrix *m, int panel) {
  return (const uint8_t *)m->data + (size_t)panel * m->packed_size;
}

/* Multipliers of eight columns, of each four times one. */
static inline __m256i four_times(const uint8_t *multiplier) {
  const __m256i places = _mm256_setr_epi8(
      0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
      4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
  int64_t eight;
  __builtin_memcpy(&eight, multiplier, sizeof eight);
  return _mm256_shuffle_epi8(_mm256_set1_epi64x(eight), places);
}

/* i * m - 8 * m; of two indices in a word, the product of the lower one stays below 2^8. */
static inline __m256i multiplied(__m256i index, __m256i words, __m256i eight_times) {
  return _mm256_sub_epi8(_mm256_mullo_epi16(index, words), eight_times);
}

void ivit_decode_groups_avx2(const struct ivit_matrix *m, int panel, int8_t *to) {
  enum { STEPS = IVIT_GROUP / 4 };
  const uint8_t *index = packed(m, panel);
  const uint8_t *multiplier = index + m->panel_size / 2;
  const uint8_t *end = multiplier;
  for (; index < end; multiplier += IVIT_COLUMNS) {
    __m256i words[BLOCKS], eights[BLOCKS];
    for (int b = 0; b < BLOCKS; b++) {
      __m256i bytes = four_times(multiplier + 8 * b);
      words[b] = _mm256_and_si256(bytes, _mm256_set1_epi16(0xFF));
      eights[b] = _mm256_slli_epi32(bytes, 3);
    }
    for (int k = 0; k < STEPS; k++, index += 64, to += CODES) {
      for (int b = 0; b < 2; b++) {
        __m256i two = load(index + BLOCK * b);
        store(to + BLOCK * b, multiplied(lower(two), words[b], eights[b]));
        store(to + BLOCK * (b + 2), multiplied(upper(two), words[b + 2], eights[b + 2]));
      }
    }
  }
}

/* A field of each byte, from bit 8 - bits on; other bits are anything. */
static inline __attribute__((always_inline)) __m256i field_of(
    __m256i fields, const int bits, const int field) {
  const int up = 8 - bits - (bits - 4) * field;
  return up < 0 ? _mm256_srli_epi16(fields, up < 0 ? -up : 0)
                : _mm256_slli_epi16(fields, up < 0 ? 0 : up);
}

/*
 * Numbers q * 2^(8 - bits) of all bytes times their multipliers m * 2^(bits - shift), at most 254, with zeros
 * between them: so vpmaddubsw gives q * m * 2^(8 - shift) of each second byte, of which, half a code more,
 * the upper byte is the code.
 */
static inline __m256i rounded(__m256i numbers, __m256i of_even, __m256i of_odd) {
  const __m256i half = _mm256_set1_epi16(0x80);
  __m256i even = _mm256_add_epi16(_mm256_maddubs_epi16(of_even, numbers), half);
  __m256i odd = _mm256_add_epi16(_mm256_maddubs_epi16(of_odd, numbers), half);
  const __m256i upper_bytes = _mm256_set1_epi16((int16_t)0xFF00);
  return _mm256_or_si256(_mm256_srli_epi16(even, 8), _mm256_and_si256(odd, upper_bytes));
}

static inline __attribute__((always_inline)) void decode_wide(
    const struct ivit_matrix *m, int panel, int8_t *to, const int bits) {
  enum { VECTORS = IVIT_GROUP * IVIT_COLUMNS / (2 * BLOCK) };
  const int per_byte = ivit_fields(bits);
  const __m256i lowest = _mm256_set1_epi8((char)(0x10 - (1 << (8 - bits))));
  const __m256i upper_half = _mm256_set1_epi8((char)0xF0);
  const uint8_t *index = packed(m, panel);
  const uint8_t *fields = ivit_fields_of(index, m->panel_size);
  const uint8_t *multiplier = index + ivit_indices_size(m->panel_size, bits);
  const int8_t *end = to + m->panel_size;
  const __m128i scale = _mm_cvtsi32_si128(bits - m->shift);
  for (; to < end; multiplier += IVIT_COLUMNS) {
    __m256i even[BLOCKS], odd[BLOCKS];
    for (int b = 0; b < BLOCKS; b++) {
      __m256i bytes = four_times(multiplier + 8 * b);
      even[b] = _mm256_sll_epi16(_mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)), scale);
      odd[b] = _mm256_slli_epi16(even[b], 8);
    }
    for (int v = 0; v < VECTORS; v += per_byte, fields += 2 * BLOCK) {
      for (int b = 0; b < 2; b++) {
        __m256i of_bytes = load(fields + BLOCK * b);
#pragma GCC unroll 8
        for (int f = 0; f < per_byte; f++) {
          __m256i upper_bits = load(index + BLOCK * (f / 2 * 2 + b));
          upper_bits = f % 2 == 0 ? _mm256_slli_epi16(upper_bits, 4) : upper_bits;
          __m256i lower_bits = _mm256_and_si256(field_of(of_bytes, bits, f), lowest);
          __m256i numbers = _mm256_or_si256(_mm256_and_si256(upper_bits, upper_half), lower_bits);
          int block = f % 2 * 2 + b;
          store(to + BLOCK * (2 * f + b), rounded(numbers, even[block], odd[block]));
        }
      }
      index += per_byte * BLOCK;
      to += 2 * per_byte * BLOCK;
    }
  }
}

void ivit_decode_wide_groups_avx2(const struct ivit_matrix *m, int panel, int8_t *to) {
  if (m->bits == 5) {
    decode_wide(m, panel, to, 5);
  } else {
    decode_wide(m, panel, to, 6);
  }
}

int ivit_pack_groups_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth) {
  if (!ivit_pack_groups_dot(arena, m, w, depth)) {
    return 0;
  }
  m->panel_size = m->panel_size / (IVIT_GROUP * IVIT_COLUMNS) * IVIT_GROUP_AVX2;
  return 1;
}

void ivit_decode_numbers_avx2(const struct ivit_matrix *m, int panel, int8_t *to) {
  enum { STEPS = IVIT_GROUP / 4 };
  const __m256i eight = _mm256_set1_epi8(8);
  const uint8_t *index = packed(m, panel);
  const uint8_t *multiplier =
      index + m->panel_size / IVIT_GROUP_AVX2 * (IVIT_GROUP * IVIT_COLUMNS / 2);
  const uint8_t *end = multiplier;
  for (; index < end; multiplier += IVIT_COLUMNS) {
    for (int k = 0; k < STEPS; k++, index += 64, to += CODES) {
      for (int b = 0; b < 2; b++) {
        __m256i two = load(index + BLOCK * b);
        store(to + BLOCK * b, _mm256_sub_epi8(lower(two), eight));
        store(to + BLOCK * (b + 2), _mm256_sub_epi8(upper(two), eight));
      }
    }
    for (int b = 0; b < BLOCKS; b++, to += BLOCK) {
      __m256i one = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(multiplier + 8 * b)));
      store(to, _mm256_or_si256(one, _mm256_slli_epi32(one, 16)));
    }
  }
}

static inline __attribute__((always_inline)) void decode_tables(
    const struct ivit_matrix *m, int panel, int8_t *to, const int bits) {
  enum { STEP = 16 * IVIT_COLUMNS /* codes */ };
  const int sixteenths = 1 << (bits - 4);
  const uint8_t *indices = packed(m, panel);
  const uint8_t *tables = indices + ivit_indices_size(m->panel_size, bits);
  /* Block b has the lanes from 2 b on. */
  for (int b = 0; b < BLOCKS; b++) {
    int half = b / 2, lanes = BLOCK * (b % 2);
    __m256i t[2][4];
    for (int i = 0; i < 4 * sixteenths; i++) {
      t[i / 4][i % 4] = load(tables + i / 4 * STEP + (4 * half + i % 4) * 2 * BLOCK + lanes);
    }
    const uint8_t *index = indices + 4 * BLOCK * half + lanes;
    /* Both halves of the columns share a vector of fields. */
    const uint8_t *fields = ivit_fields_of(indices, m->panel_size) + lanes;
    int8_t *out = to + BLOCK * b;
    for (; out < to + m->panel_size; out += STEP, index += STEP / 2) {
      __m256i of_bytes = bits == 4 ? _mm256_setzero_si256() : load(fields);
      of_bytes = _mm256_srl_epi16(of_bytes, _mm_cvtsi32_si128(4 * half));
      __m256i first = load(index), second = load(index + 2 * BLOCK);
      __m256i v[] = {
          ivit_entry_avx2(t, 0, lower(first), of_bytes, bits),
          ivit_entry_avx2(t, 1, upper(first), of_bytes, bits),
          ivit_entry_avx2(t, 2, lower(second), of_bytes, bits),
          ivit_entry_avx2(t, 3, upper(second), of_bytes, bits)};
      ivit_groups_of_four_avx2(v, out, CODES);
      fields += 2 * BLOCK;
    }
  }
  ivit_clear_dot(m, to);
}

void ivit_decode_tables_avx2(const struct ivit_matrix *m, int panel, int8_t *to) {
  if (m->bits == 4) {
    decode_tables(m, panel, to, 4);
  } else {
    decode_tables(m, panel, to, 5);
  }
}
