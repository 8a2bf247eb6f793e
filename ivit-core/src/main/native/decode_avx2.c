/* Weights of 4 bits, packed by decode_dot.c, on AVX2. */
#include "avx2.h"
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

/*
 * Sixteen places along K of eight columns, of which lane l of vector i has column 4 l + i, to groups
 * of four.
 */
static inline void transpose(const __m256i *v, int8_t *to) {
  __m256i a = _mm256_unpacklo_epi32(v[0], v[1]), b = _mm256_unpacklo_epi32(v[2], v[3]);
  __m256i c = _mm256_unpackhi_epi32(v[0], v[1]), d = _mm256_unpackhi_epi32(v[2], v[3]);
  store(to, _mm256_unpacklo_epi64(a, b));
  store(to + CODES, _mm256_unpackhi_epi64(a, b));
  store(to + 2 * CODES, _mm256_unpacklo_epi64(c, d));
  store(to + 3 * CODES, _mm256_unpackhi_epi64(c, d));
}

void ivit_decode_tables_avx2(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *indices = packed(m, panel);
  const uint8_t *tables = indices + m->panel_size / 2;
  /* Block b has the lanes from 2 b on. */
  for (int b = 0; b < BLOCKS; b++) {
    const uint8_t *table = tables + 256 * (b / 2) + 32 * (b % 2);
    const __m256i t[] = {load(table), load(table + 64), load(table + 128), load(table + 192)};
    int8_t *out = to + BLOCK * b;
    const uint8_t *index = indices + 128 * (b / 2) + 32 * (b % 2);
    for (; index < tables; index += 256, out += 4 * CODES) {
      __m256i first = load(index), second = load(index + 64);
      __m256i v[] = {
          _mm256_shuffle_epi8(t[0], lower(first)), _mm256_shuffle_epi8(t[1], upper(first)),
          _mm256_shuffle_epi8(t[2], lower(second)), _mm256_shuffle_epi8(t[3], upper(second))};
      transpose(v, out);
    }
  }
  ivit_clear_dot(m, to);
}
