/* Pieces that the AVX-512 kernels share. */
#ifndef IVIT_LANES_AVX512_H
#define IVIT_LANES_AVX512_H

#include <immintrin.h>
#include <stdint.h>

/*
 * Lanes of 32 bits meet multiplications of even lanes to 64 bits. Odd lanes are brought down, and
 * upper halves put together, by shuffles: multiplications and shifts share the other port.
 */
static inline __m512i ivit_odd_lanes(__m512i v) {
  return _mm512_shuffle_epi32(v, _MM_PERM_DDBB);
}

/* Upper halves of 64-bit lanes: of `even` in the even lanes, of `odd` in the odd ones. */
static inline __m512i ivit_upper_halves(__m512i even, __m512i odd) {
  const __m512i from =
      _mm512_setr_epi32(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
  return _mm512_permutex2var_epi32(even, from, odd);
}

/* (hi32(z * m) + half) >> shift in each lane; odd are the odd lanes of m. */
static inline __m512i ivit_upper_avx512(
    __m512i z, __m512i m, __m512i odd, __m512i half, __m512i shift) {
  __m512i even_products = _mm512_mul_epi32(z, m);
  __m512i odd_products = _mm512_mul_epi32(ivit_odd_lanes(z), odd);
  __m512i upper = ivit_upper_halves(even_products, odd_products);
  return _mm512_srav_epi32(_mm512_add_epi32(upper, half), shift);
}

/* Thirty-two numbers, clamped to 16 bits, from those of even and of odd places. */
static inline __m512i ivit_words_of_pairs_avx512(__m512i even, __m512i odd) {
  const __m512i least = _mm512_set1_epi32(INT16_MIN);
  const __m512i most = _mm512_set1_epi32(INT16_MAX);
  even = _mm512_min_epi32(_mm512_max_epi32(even, least), most);
  odd = _mm512_min_epi32(_mm512_max_epi32(odd, least), most);
  return _mm512_mask_blend_epi16(0xAAAAAAAA, even, _mm512_slli_epi32(odd, 16));
}

/* Thirty-two stored codes from numbers of 16 bits. */
static inline __m256i ivit_codes_of_words_avx512(__m512i words) {
  return _mm256_xor_si256(_mm512_cvtsepi16_epi8(words), _mm256_set1_epi8((char)0x80));
}

/* A table of 256 bytes in registers. */
struct ivit_table_avx512 {
  __m512i quarter[4];
};

static inline struct ivit_table_avx512 ivit_table_load(const void *table) {
  const char *bytes = table;
  struct ivit_table_avx512 t = {
      {_mm512_loadu_si512(bytes), _mm512_loadu_si512(bytes + 64), _mm512_loadu_si512(bytes + 128),
       _mm512_loadu_si512(bytes + 192)}};
  return t;
}

static inline __m512i ivit_table_look_up(const struct ivit_table_avx512 *t, __m512i index) {
  __m512i below = _mm512_permutex2var_epi8(t->quarter[0], index, t->quarter[1]);
  __m512i above = _mm512_permutex2var_epi8(t->quarter[2], index, t->quarter[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), below, above);
}

#endif
