/* Pieces that the AVX2 kernels share. */
#ifndef IVIT_LANES_AVX2_H
#define IVIT_LANES_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

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

/* Sixteen numbers, clamped to 16 bits, from those of even and of odd places. */
static inline __m256i ivit_words_of_pairs_avx2(__m256i even, __m256i odd) {
  const __m256i least = _mm256_set1_epi32(INT16_MIN);
  const __m256i most = _mm256_set1_epi32(INT16_MAX);
  even = _mm256_min_epi32(_mm256_max_epi32(even, least), most);
  odd = _mm256_min_epi32(_mm256_max_epi32(odd, least), most);
  return _mm256_blend_epi16(even, _mm256_slli_epi32(odd, 16), 0xAA);
}

/* Sixteen numbers, clamped to 16 bits, from two vectors of eight in order. */
static inline __m256i ivit_pack_words_avx2(__m256i a, __m256i b) {
  return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
}

/* Thirty-two stored codes from two vectors of numbers of 16 bits in order. */
static inline __m256i ivit_codes_of_words_avx2(__m256i a, __m256i b) {
  __m256i codes = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8);
  return _mm256_xor_si256(codes, _mm256_set1_epi8((char)0x80));
}

/* Sixteen bytes of a table by the lower halves of an index. */
static inline __m256i ivit_sixteen_avx2(const uint8_t *table, __m256i low) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)table);
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), low);
}

static inline __m256i ivit_sixty_four_avx2(
    const uint8_t *table, __m256i low, __m256i bit4, __m256i bit5) {
  __m256i below = _mm256_blendv_epi8(
      ivit_sixteen_avx2(table, low), ivit_sixteen_avx2(table + 16, low), bit4);
  __m256i above = _mm256_blendv_epi8(
      ivit_sixteen_avx2(table + 32, low), ivit_sixteen_avx2(table + 48, low), bit4);
  return _mm256_blendv_epi8(below, above, bit5);
}

/* 32 bytes of a table of 256; a shuffle for each sixteen of it, since gathers are slow. */
static inline __m256i ivit_look_up_avx2(const uint8_t *table, __m256i index) {
  __m256i low = _mm256_and_si256(index, _mm256_set1_epi8(0x0F));
  __m256i bit4 = _mm256_slli_epi16(index, 3);
  __m256i bit5 = _mm256_slli_epi16(index, 2);
  __m256i bit6 = _mm256_slli_epi16(index, 1);
  __m256i below = _mm256_blendv_epi8(
      ivit_sixty_four_avx2(table, low, bit4, bit5),
      ivit_sixty_four_avx2(table + 64, low, bit4, bit5), bit6);
  __m256i above = _mm256_blendv_epi8(
      ivit_sixty_four_avx2(table + 128, low, bit4, bit5),
      ivit_sixty_four_avx2(table + 192, low, bit4, bit5), bit6);
  return _mm256_blendv_epi8(below, above, index);
}

/*
 * Entries of tables of 16 or 32, of a column a lane, by the lower four bits of indices: table[1] has those
 * that bit `place` of a field asks for.
 */
static inline __attribute__((always_inline)) __m256i ivit_entry_avx2(
    const __m256i table[][4], const int place, __m256i low, __m256i fields, const int bits) {
  __m256i found = _mm256_shuffle_epi8(table[0][place], low);
  if (bits == 4) {
    return found;
  }
  __m256i fifth = _mm256_slli_epi16(fields, 7 - place);
  return _mm256_blendv_epi8(found, _mm256_shuffle_epi8(table[1][place], low), fifth);
}

/*
 * Sixteen places along K of eight columns, of which lane l of vector i has column 4 l + i, to groups
 * of four, `step` bytes apart.
 */
static inline void ivit_groups_of_four_avx2(const __m256i *v, int8_t *to, size_t step) {
  __m256i a = _mm256_unpacklo_epi32(v[0], v[1]), b = _mm256_unpacklo_epi32(v[2], v[3]);
  __m256i c = _mm256_unpackhi_epi32(v[0], v[1]), d = _mm256_unpackhi_epi32(v[2], v[3]);
  _mm256_store_si256((__m256i *)to, _mm256_unpacklo_epi64(a, b));
  _mm256_store_si256((__m256i *)(to + step), _mm256_unpackhi_epi64(a, b));
  _mm256_store_si256((__m256i *)(to + 2 * step), _mm256_unpacklo_epi64(c, d));
  _mm256_store_si256((__m256i *)(to + 3 * step), _mm256_unpackhi_epi64(c, d));
}

/* All ones in the bytes whose bit is set. */
static inline __m256i ivit_bytes_of_bits_avx2(uint32_t bits) {
  const __m256i from = _mm256_setr_epi64x(
      0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);
  __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32((int32_t)bits), from);
  return _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
}

/* How vpshufb brings each four neighbours into an order. */
static inline __m256i ivit_order_of_avx2(int order) {
  static const int32_t of_four[3] = {0x03020100, 0x03010200, 0x02010300};
  const __m256i groups = _mm256_setr_epi32(
      0, 0x04040404, 0x08080808, 0x0C0C0C0C, 0, 0x04040404, 0x08080808, 0x0C0C0C0C);
  return _mm256_add_epi8(_mm256_set1_epi32(of_four[order]), groups);
}

#endif
