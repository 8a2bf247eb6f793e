/* Shiftmax of a row on AVX2, eight scores at a time, exponentials gathered from memory. */
#include "avx2.h"
#include "lanes_avx2.h"

#include <string.h>

/* All ones in the lanes of scores i to i + 7 that are beyond n. */
static inline __m256i absent(int i, int n) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(lanes, _mm256_set1_epi32(n - 1 - i));
}

static inline __m256i hidden(const uint64_t *mask, int i) {
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  __m256i byte = _mm256_set1_epi32((int32_t)(mask[i / 64] >> i % 64 & 0xFF));
  return _mm256_cmpeq_epi32(_mm256_and_si256(byte, bits), bits);
}

static inline __m256i codes_at(const uint8_t *scores, int i) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(scores + i)));
}

static inline int32_t largest_of(const uint8_t *scores, int n, const uint64_t *mask) {
  __m256i largest = _mm256_setzero_si256();
  for (int i = 0; i < n; i += 8) {
    __m256i out = absent(i, n);
    out = mask == NULL ? out : _mm256_or_si256(out, hidden(mask, i));
    largest = _mm256_max_epi32(largest, _mm256_andnot_si256(out, codes_at(scores, i)));
  }
  __m128i v = _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  v = _mm_max_epi32(v, _mm_shuffle_epi32(v, 0x4E));
  return _mm_cvtsi128_si32(_mm_max_epi32(v, _mm_shuffle_epi32(v, 0xB1)));
}

static inline __m256i exponentials(
    const uint8_t *scores, int i, int n, const uint64_t *mask,
    const struct ivit_softmax *softmax, __m256i largest) {
  __m256i index = _mm256_sub_epi32(largest, codes_at(scores, i));
  if (mask != NULL) {
    index = _mm256_blendv_epi8(index, _mm256_set1_epi32(256), hidden(mask, i));
  }
  __m256i out = absent(i, n);
  index = _mm256_andnot_si256(out, index);
  __m256i e = _mm256_i32gather_epi32((const int *)softmax->exponentials, index, 4);
  return _mm256_andnot_si256(out, e);
}

void ivit_bias_avx2(uint8_t *scores, const struct ivit_window *window, int head, int query) {
  size_t row = (size_t)head * (size_t)window->tokens + (size_t)query;
  const int32_t *bias = window->bias + row * (size_t)window->row;
  for (int i = 0; i < window->tokens; i += IVIT_COLUMNS) {
    __m256i sum[4];
    for (int j = 0; j < 4; j++) {
      int at = i + 8 * j;
      __m256i score = _mm256_i32gather_epi32((const int *)window->score, codes_at(scores, at), 4);
      sum[j] = _mm256_add_epi32(score, _mm256_loadu_si256((const __m256i *)(bias + at)));
    }
    _mm256_storeu_si256(
        (__m256i *)(scores + i), ivit_pack_codes_avx2(sum[0], sum[1], sum[2], sum[3]));
  }
}

/* Eight values below 2^15 as 16-bit numbers. */
static inline void store_words(int16_t *to, __m256i v) {
  _mm_storeu_si128(
      (__m128i *)to,
      _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}

void ivit_normalise_avx2(int32_t *acc, int rows, const int32_t *factor) {
  const __m256i half = _mm256_set1_epi64x(1 << 15);
  for (int r = 0; r < rows; r++) {
    __m256i f = _mm256_set1_epi64x(factor[r]);
    for (int c = 0; c < IVIT_COLUMNS; c += 8) {
      __m256i *at = (__m256i *)(acc + r * IVIT_COLUMNS + c);
      __m256i z = _mm256_loadu_si256(at);
      __m256i even = _mm256_add_epi64(_mm256_mul_epi32(z, f), half);
      __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(z, 32), f), half);
      /* Results fit 32 bits, so what lies above them is cut off. */
      __m256i y =
          _mm256_blend_epi32(_mm256_srli_epi64(even, 16), _mm256_slli_epi64(odd, 16), 0xAA);
      _mm256_storeu_si256(at, y);
    }
  }
}

/* Exponentials of 8 bits, which are the probabilities. */
static void deferred(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    __m256i largest, int16_t *out) {
  for (int i = 0; i < (int)ivit_round_up((size_t)n, 64); i += 8) {
    __m256i e = _mm256_setzero_si256();
    if (i < n) {
      e = exponentials(scores, i, n, mask, softmax, largest);
    }
    store_words(out + i, e);
  }
}

int32_t ivit_softmax_avx2(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane) {
  (void)plane;
  int16_t *p = (int16_t *)(void *)out;
  __m256i largest = _mm256_set1_epi32(largest_of(scores, n, mask));
  __m256i sums = _mm256_setzero_si256();
  for (int i = 0; i < n; i += 8) {
    sums = _mm256_add_epi32(sums, exponentials(scores, i, n, mask, softmax, largest));
  }
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  uint32_t sum = (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1)));
  if (softmax->deferred) {
    deferred(scores, n, mask, softmax, largest, p);
    return (int32_t)(INT32_MAX / sum);
  }
  __m256i factor = _mm256_set1_epi32((int32_t)(INT32_MAX / sum));
  __m256i rounding = _mm256_set1_epi32((int32_t)softmax->rounding);
  __m256i limit = _mm256_set1_epi32((1 << (softmax->bits - 1)) - 1);
  __m128i shift = _mm_cvtsi32_si128(32 - softmax->bits);
  for (int i = 0; i < (int)ivit_round_up((size_t)n, 64); i += 8) {
    __m256i v = _mm256_setzero_si256();
    if (i < n) {
      __m256i e = exponentials(scores, i, n, mask, softmax, largest);
      v = _mm256_add_epi32(_mm256_mullo_epi32(e, factor), rounding);
      v = _mm256_min_epu32(_mm256_srl_epi32(v, shift), limit);
    }
    store_words(p + i, v);
  }
  return (int32_t)(INT32_MAX / sum);
}
