/*
 * Shiftmax of a row on AVX2, 32 scores at a time: exponentials of 16 bits are looked up byte by
 * byte and multiplied in 16-bit lanes. Tables whose entries do not fit 16 bits (form shift) are
 * gathered from memory. Probabilities are 16-bit numbers in order.
 */
#include "avx2.h"
#include "lanes_avx2.h"
#include "window.h"

/* All ones in the bytes of scores i to i + 31 that are beyond n. */
static inline __m256i absent(int i, int n) {
  const __m256i lanes = _mm256_setr_epi8(
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
      26, 27, 28, 29, 30, 31);
  int left = n - i < 32 ? n - i : 32;
  return _mm256_cmpgt_epi8(lanes, _mm256_set1_epi8((char)(left - 1)));
}

static inline __m256i hidden(const uint64_t *mask, int i) {
  return ivit_bytes_of_bits_avx2((uint32_t)(mask[i / 64] >> i % 64));
}

static inline __m256i scores_at(const uint8_t *scores, int i) {
  return _mm256_loadu_si256((const __m256i *)(scores + i));
}

static inline int32_t largest_of(const uint8_t *scores, int n, const uint64_t *mask) {
  __m256i largest = _mm256_setzero_si256();
  for (int i = 0; i < n; i += 32) {
    __m256i out = absent(i, n);
    out = mask == NULL ? out : _mm256_or_si256(out, hidden(mask, i));
    largest = _mm256_max_epu8(largest, _mm256_andnot_si256(out, scores_at(scores, i)));
  }
  __m128i v = _mm_max_epu8(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  /* The smallest of the complements, by the one horizontal minimum that there is. */
  v = _mm_xor_si128(v, _mm_set1_epi8((char)0xFF));
  v = _mm_min_epu8(v, _mm_srli_epi16(v, 8));
  return 255 - (_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_and_si128(v, _mm_set1_epi16(0xFF)))) & 0xFF);
}

/* 32 values of 16 bits from their bytes, in order. */
struct words {
  __m256i first, second;
};

static inline struct words unpack(__m256i low, __m256i high) {
  __m256i a = _mm256_unpacklo_epi8(low, high), b = _mm256_unpackhi_epi8(low, high);
  struct words w = {_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31)};
  return w;
}

static inline void store_words(int16_t *to, struct words w) {
  _mm256_storeu_si256((__m256i *)to, w.first);
  _mm256_storeu_si256((__m256i *)(to + 16), w.second);
}

static void wide_bias(uint8_t *scores, const struct ivit_window *window, const int32_t *bias) {
  for (int i = 0; i < window->tokens; i += IVIT_COLUMNS) {
    __m256i sum[4];
    for (int j = 0; j < 4; j++) {
      int at = i + 8 * j;
      __m256i index = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(scores + at)));
      __m256i score = _mm256_i32gather_epi32((const int *)window->score, index, 4);
      sum[j] = _mm256_add_epi32(score, _mm256_loadu_si256((const __m256i *)(bias + at)));
    }
    _mm256_storeu_si256(
        (__m256i *)(scores + i), ivit_pack_codes_avx2(sum[0], sum[1], sum[2], sum[3]));
  }
}

static void narrow_bias(uint8_t *scores, const struct ivit_window *window, const int16_t *bias) {
  for (int i = 0; i < window->tokens; i += 32) {
    __m256i codes = scores_at(scores, i);
    struct words w = unpack(
        ivit_look_up_avx2(window->score_low, codes), ivit_look_up_avx2(window->score_high, codes));
    __m256i a = _mm256_adds_epi16(w.first, _mm256_loadu_si256((const __m256i *)(bias + i)));
    __m256i b = _mm256_adds_epi16(w.second, _mm256_loadu_si256((const __m256i *)(bias + i + 16)));
    /* Packing works by halves. */
    __m256i biased = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8);
    _mm256_storeu_si256(
        (__m256i *)(scores + i), _mm256_xor_si256(biased, _mm256_set1_epi8((char)0x80)));
  }
}

void ivit_bias_avx2(uint8_t *scores, const struct ivit_window *window, int head, int query) {
  size_t at = ivit_bias_at(window, head, query);
  uint8_t first = scores[0];
  if (window->narrow) {
    narrow_bias(scores, window, window->bias16 + at);
  } else {
    wide_bias(scores, window, window->bias + at);
  }
  if (window->leading) {
    scores[0] = ivit_biased_leading(window, head, query, first, 128);
  }
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

/* One byte of the exponentials of 32 scores, zero where there is no score. */
static inline __m256i exponential_bytes(
    const uint8_t *table, uint8_t masked, __m256i distance, __m256i hide, __m256i out) {
  __m256i e = ivit_look_up_avx2(table, distance);
  e = _mm256_blendv_epi8(e, _mm256_set1_epi8((char)masked), hide);
  return _mm256_andnot_si256(out, e);
}

static inline uint32_t sum_of(__m256i sums) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1)));
}

/* Exponentials of 8 bits, which are the probabilities. */
static int32_t deferred(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    __m256i largest, int16_t *p) {
  __m256i sums = _mm256_setzero_si256();
  for (int i = 0; i < n; i += 32) {
    __m256i hide = mask == NULL ? _mm256_setzero_si256() : hidden(mask, i);
    __m256i e = exponential_bytes(
        softmax->low, (uint8_t)softmax->exponentials[256],
        _mm256_sub_epi8(largest, scores_at(scores, i)), hide, absent(i, n));
    sums = _mm256_add_epi32(sums, _mm256_sad_epu8(e, _mm256_setzero_si256()));
    store_words(p + i, unpack(e, _mm256_setzero_si256()));
  }
  return (int32_t)(INT32_MAX / sum_of(sums));
}

static inline __m256i add_words(__m256i sum, __m256i w) {
  __m256i even = _mm256_and_si256(w, _mm256_set1_epi32(0xFFFF));
  return _mm256_add_epi32(sum, _mm256_add_epi32(even, _mm256_srli_epi32(w, 16)));
}

/*
 * (E * factor + rounding) >> (32 - bits) in 16-bit lanes, from the two halves of the product: at 16
 * bits the rounding is the lower half's top bit, at fewer the lower half takes no part.
 */
static inline __m256i probabilities(
    __m256i e, __m256i factor, const struct ivit_softmax *softmax, __m256i limit) {
  __m256i upper = _mm256_mulhi_epu16(e, factor);
  if (softmax->bits < 16) {
    upper = _mm256_add_epi16(upper, _mm256_set1_epi16((short)(softmax->rounding >> 16)));
    upper = _mm256_srl_epi16(upper, _mm_cvtsi32_si128(16 - softmax->bits));
  } else if (softmax->rounding != 0) {
    upper = _mm256_add_epi16(upper, _mm256_srli_epi16(_mm256_mullo_epi16(e, factor), 15));
  }
  return _mm256_min_epu16(upper, limit);
}

/* The exponentials wait where the probabilities will be that they become. */
static int32_t narrow(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    __m256i largest, int16_t *p) {
  uint32_t masked = softmax->exponentials[256];
  __m256i sums = _mm256_setzero_si256();
  for (int i = 0; i < n; i += 32) {
    __m256i hide = mask == NULL ? _mm256_setzero_si256() : hidden(mask, i);
    __m256i distance = _mm256_sub_epi8(largest, scores_at(scores, i));
    __m256i out = absent(i, n);
    struct words e = unpack(
        exponential_bytes(softmax->low, (uint8_t)masked, distance, hide, out),
        exponential_bytes(softmax->high, (uint8_t)(masked >> 8), distance, hide, out));
    store_words(p + i, e);
    sums = add_words(add_words(sums, e.first), e.second);
  }
  uint32_t factor = INT32_MAX / sum_of(sums);
  __m256i factors = _mm256_set1_epi16((short)factor);
  __m256i limit = _mm256_set1_epi16((short)((1 << (softmax->bits - 1)) - 1));
  for (int i = 0; i < n; i += 16) {
    __m256i *at = (__m256i *)(p + i);
    _mm256_storeu_si256(at, probabilities(_mm256_loadu_si256(at), factors, softmax, limit));
  }
  return (int32_t)factor;
}

/* Eight exponentials from memory. */
static inline __m256i wide_exponentials(
    const uint8_t *scores, int i, int n, const uint64_t *mask,
    const struct ivit_softmax *softmax, __m256i largest) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  __m256i codes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(scores + i)));
  __m256i index = _mm256_sub_epi32(largest, codes);
  if (mask != NULL) {
    __m256i byte = _mm256_set1_epi32((int32_t)(mask[i / 64] >> i % 64 & 0xFF));
    __m256i hide = _mm256_cmpeq_epi32(_mm256_and_si256(byte, bits), bits);
    index = _mm256_blendv_epi8(index, _mm256_set1_epi32(256), hide);
  }
  __m256i out = _mm256_cmpgt_epi32(lanes, _mm256_set1_epi32(n - 1 - i));
  index = _mm256_andnot_si256(out, index);
  __m256i e = _mm256_i32gather_epi32((const int *)softmax->exponentials, index, 4);
  return _mm256_andnot_si256(out, e);
}

static int32_t wide(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    __m256i largest, int16_t *out) {
  __m256i sums = _mm256_setzero_si256();
  for (int i = 0; i < n; i += 8) {
    sums = _mm256_add_epi32(sums, wide_exponentials(scores, i, n, mask, softmax, largest));
  }
  uint32_t quotient = INT32_MAX / sum_of(sums);
  __m256i factor = _mm256_set1_epi32((int32_t)quotient);
  __m256i rounding = _mm256_set1_epi32((int32_t)softmax->rounding);
  __m256i limit = _mm256_set1_epi32((1 << (softmax->bits - 1)) - 1);
  __m128i shift = _mm_cvtsi32_si128(32 - softmax->bits);
  for (int i = 0; i < n; i += 8) {
    __m256i e = wide_exponentials(scores, i, n, mask, softmax, largest);
    __m256i p = _mm256_add_epi32(_mm256_mullo_epi32(e, factor), rounding);
    p = _mm256_min_epu32(_mm256_srl_epi32(p, shift), limit);
    _mm_storeu_si128(
        (__m128i *)(out + i),
        _mm_packus_epi32(_mm256_castsi256_si128(p), _mm256_extracti128_si256(p, 1)));
  }
  return (int32_t)quotient;
}

int32_t ivit_softmax_avx2(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane) {
  (void)plane;
  int16_t *p = (int16_t *)(void *)out;
  for (int i = n / 16 * 16; i < (int)ivit_round_up((size_t)n, 64); i += 16) {
    _mm256_storeu_si256((__m256i *)(p + i), _mm256_setzero_si256());
  }
  int32_t largest = largest_of(scores, n, mask);
  if (softmax->deferred) {
    return deferred(scores, n, mask, softmax, _mm256_set1_epi8((char)largest), p);
  }
  if (softmax->narrow) {
    return narrow(scores, n, mask, softmax, _mm256_set1_epi8((char)largest), p);
  }
  return wide(scores, n, mask, softmax, _mm256_set1_epi32(largest), p);
}
