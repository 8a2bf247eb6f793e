/* Pieces that the AVX2 kernels share. */
#ifndef IVIT_LANES_AVX2_H
#define IVIT_LANES_AVX2_H

#include <immintrin.h>

/* (hi32(z * m) + half) >> shift in each lane; odd multipliers are m moved down by one lane. */
static inline __m256i ivit_upper_avx2(
    __m256i z, __m256i m, __m256i odd, __m256i half, __m256i shift) {
  __m256i even_products = _mm256_mul_epi32(z, m);
  __m256i odd_products = _mm256_mul_epi32(_mm256_srli_epi64(z, 32), odd);
  __m256i upper = _mm256_blend_epi32(_mm256_srli_epi64(even_products, 32), odd_products, 0xAA);
  return _mm256_srav_epi32(_mm256_add_epi32(upper, half), shift);
}

/* 32 codes, clamped to 8 bits, from four vectors of eight in order. */
static inline __m256i ivit_pack_codes_avx2(__m256i a, __m256i b, __m256i c, __m256i d) {
  __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
  /* Packing works by halves. */
  packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  return _mm256_xor_si256(packed, _mm256_set1_epi8((char)0x80));
}

#endif
