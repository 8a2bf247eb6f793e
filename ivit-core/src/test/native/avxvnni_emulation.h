/*
 * The two instructions of AVX-VNNI that the kernels use, for processors without them. Defined by
 * the manual: products of four bytes, unsigned by signed, or of two 16-bit numbers are added to 32
 * bits, modulo 2^32.
 */
#ifndef IVIT_AVXVNNI_EMULATION_H
#define IVIT_AVXVNNI_EMULATION_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

static inline __m256i emulated_dpbusd(__m256i sum, __m256i a, __m256i b) {
  uint32_t acc[8];
  uint8_t x[32];
  int8_t w[32];
  memcpy(acc, &sum, sizeof acc);
  memcpy(x, &a, sizeof x);
  memcpy(w, &b, sizeof w);
  for (int i = 0; i < 32; i++) {
    acc[i / 4] += (uint32_t)(x[i] * w[i]);
  }
  memcpy(&sum, acc, sizeof acc);
  return sum;
}

static inline __m256i emulated_dpwssd(__m256i sum, __m256i a, __m256i b) {
  uint32_t acc[8];
  int16_t x[16], w[16];
  memcpy(acc, &sum, sizeof acc);
  memcpy(x, &a, sizeof x);
  memcpy(w, &b, sizeof w);
  for (int i = 0; i < 16; i++) {
    acc[i / 2] += (uint32_t)(x[i] * w[i]);
  }
  memcpy(&sum, acc, sizeof acc);
  return sum;
}

#define _mm256_dpbusd_avx_epi32 emulated_dpbusd
#define _mm256_dpwssd_avx_epi32 emulated_dpwssd

#endif
