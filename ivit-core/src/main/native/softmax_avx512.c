/*
 * Shiftmax of a row on AVX-512, 64 scores at a time: exponentials of 16 bits are looked up in
 * registers, byte by byte, and multiplied in 16-bit lanes. Tables whose entries do not fit 16 bits
 * (form shift) are gathered from memory.
 */
#include "avx512.h"
#include "lanes_avx512.h"
#include "window.h"

static inline __mmask64 present(int from, int n) {
  return n - from >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (n - from)) - 1;
}

static inline int32_t largest_of(const uint8_t *scores, int n, const uint64_t *mask) {
  __m512i largest = _mm512_setzero_si512();
  for (int i = 0; i < n; i += 64) {
    __mmask64 seen = present(i, n) & (mask == NULL ? ~(uint64_t)0 : ~mask[i / 64]);
    largest = _mm512_max_epu8(largest, _mm512_maskz_loadu_epi8(seen, scores + i));
  }
  __m256i half =
      _mm256_max_epu8(_mm512_castsi512_si256(largest), _mm512_extracti64x4_epi64(largest, 1));
  __m128i v = _mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  /* The smallest of the complements, by the one horizontal minimum that there is. */
  v = _mm_xor_si128(v, _mm_set1_epi8((char)0xFF));
  v = _mm_min_epu8(v, _mm_srli_epi16(v, 8));
  return 255 - (_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_and_si128(v, _mm_set1_epi16(0xFF)))) & 0xFF);
}

/* 64 values of 16 bits by byte tables; unpacked by quarters: first and second half of each. */
struct words {
  __m512i first, second;
};

static inline struct words unpack(__m512i low, __m512i high) {
  struct words w = {_mm512_unpacklo_epi8(low, high), _mm512_unpackhi_epi8(low, high)};
  return w;
}

void ivit_bias_avx512(uint8_t *scores, const struct ivit_window *window, int head, int query) {
  if (!window->narrow) {
    ivit_bias_c(scores, window, head, query);
    return;
  }
  struct ivit_table_avx512 low = ivit_table_load(window->score_low);
  struct ivit_table_avx512 high = ivit_table_load(window->score_high);
  const int16_t *bias = window->bias16 + ivit_bias_at(window, head, query);
  uint8_t first = scores[0];
  for (int i = 0; i < window->tokens; i += 64) {
    __m512i codes = _mm512_loadu_si512(scores + i);
    struct words w = unpack(ivit_table_look_up(&low, codes), ivit_table_look_up(&high, codes));
    __m512i b0 = _mm512_loadu_si512(bias + i);
    __m512i b1 = _mm512_loadu_si512(bias + i + 32);
    w.first = _mm512_adds_epi16(w.first, _mm512_shuffle_i64x2(b0, b1, 0x88));
    w.second = _mm512_adds_epi16(w.second, _mm512_shuffle_i64x2(b0, b1, 0xDD));
    __m512i biased = _mm512_packs_epi16(w.first, w.second);
    _mm512_storeu_si512(scores + i, _mm512_xor_si512(biased, _mm512_set1_epi8((char)0x80)));
  }
  if (window->leading) {
    scores[0] = ivit_biased_leading(window, head, query, first, 128);
  }
}

/* Exponentials of 64 scores, zero where there is no score, as two rows of bytes. */
static inline void narrow_exponentials(
    const uint8_t *scores, int i, int n, const uint64_t *mask,
    const struct ivit_softmax *softmax, const struct ivit_table_avx512 *low,
    const struct ivit_table_avx512 *high, __m512i largest, __m512i *l, __m512i *h) {
  __mmask64 seen = present(i, n);
  __m512i distance = _mm512_sub_epi8(largest, _mm512_maskz_loadu_epi8(seen, scores + i));
  *l = ivit_table_look_up(low, distance);
  *h = ivit_table_look_up(high, distance);
  if (mask != NULL) {
    uint32_t hidden = softmax->exponentials[256];
    *l = _mm512_mask_mov_epi8(*l, mask[i / 64], _mm512_set1_epi8((char)hidden));
    *h = _mm512_mask_mov_epi8(*h, mask[i / 64], _mm512_set1_epi8((char)(hidden >> 8)));
  }
  *l = _mm512_maskz_mov_epi8(seen, *l);
  *h = _mm512_maskz_mov_epi8(seen, *h);
}

static inline __m512i add_words(__m512i sum, struct words w) {
  const __m512i low = _mm512_set1_epi32(0xFFFF);
  __m512i even = _mm512_add_epi32(_mm512_and_si512(w.first, low), _mm512_and_si512(w.second, low));
  __m512i odd = _mm512_add_epi32(_mm512_srli_epi32(w.first, 16), _mm512_srli_epi32(w.second, 16));
  return _mm512_add_epi32(sum, _mm512_add_epi32(even, odd));
}

/*
 * (E * factor + rounding) >> (32 - bits) in 16-bit lanes, from the two halves of the product: at 16
 * bits the rounding is the lower half's top bit, at fewer the lower half takes no part.
 */
static inline __m512i probabilities(
    __m512i e, __m512i factor, const struct ivit_softmax *softmax, __m512i limit) {
  __m512i upper = _mm512_mulhi_epu16(e, factor);
  if (softmax->bits < 16) {
    upper = _mm512_add_epi16(upper, _mm512_set1_epi16((short)(softmax->rounding >> 16)));
    upper = _mm512_srl_epi16(upper, _mm_cvtsi32_si128(16 - softmax->bits));
  } else if (softmax->rounding != 0) {
    upper = _mm512_add_epi16(upper, _mm512_srli_epi16(_mm512_mullo_epi16(e, factor), 15));
  }
  return _mm512_min_epu16(upper, limit);
}

/* The exponentials wait in the rows of the probabilities that they become. */
static int32_t narrow(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    __m512i largest, uint8_t *high, uint8_t *low) {
  struct ivit_table_avx512 table_low = ivit_table_load(softmax->low);
  struct ivit_table_avx512 table_high = ivit_table_load(softmax->high);
  __m512i sums = _mm512_setzero_si512();
  for (int i = 0; i < n; i += 64) {
    __m512i l, h;
    narrow_exponentials(
        scores, i, n, mask, softmax, &table_low, &table_high, largest, &l, &h);
    _mm512_storeu_si512(low + i, l);
    _mm512_storeu_si512(high + i, h);
    sums = add_words(sums, unpack(l, h));
  }
  uint32_t sum = (uint32_t)_mm512_reduce_add_epi32(sums);
  __m512i factor = _mm512_set1_epi16((short)(INT32_MAX / sum));
  __m512i limit = _mm512_set1_epi16((short)((1 << (softmax->bits - 1)) - 1));
  const __m512i byte = _mm512_set1_epi16(0xFF);
  for (int i = 0; i < n; i += 64) {
    struct words e = unpack(_mm512_loadu_si512(low + i), _mm512_loadu_si512(high + i));
    __m512i a = probabilities(e.first, factor, softmax, limit);
    __m512i b = probabilities(e.second, factor, softmax, limit);
    _mm512_storeu_si512(
        low + i, _mm512_packus_epi16(_mm512_and_si512(a, byte), _mm512_and_si512(b, byte)));
    if (softmax->bits > 8) {
      _mm512_storeu_si512(
          high + i, _mm512_packus_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8)));
    }
  }
  return (int32_t)(INT32_MAX / sum);
}

static inline __m512i wide_exponentials(
    const uint8_t *scores, int i, int n, const uint64_t *mask,
    const struct ivit_softmax *softmax, __m512i largest) {
  __mmask16 seen = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
  __m512i codes = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(seen, scores + i));
  __m512i index = _mm512_sub_epi32(largest, codes);
  if (mask != NULL) {
    __mmask16 hidden = (__mmask16)(mask[i / 64] >> i % 64);
    index = _mm512_mask_mov_epi32(index, hidden, _mm512_set1_epi32(256));
  }
  return _mm512_mask_i32gather_epi32(
      _mm512_setzero_si512(), seen, index, softmax->exponentials, 4);
}

static int32_t wide(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    __m512i largest, uint8_t *high, uint8_t *low) {
  __m512i sums = _mm512_setzero_si512();
  for (int i = 0; i < n; i += 16) {
    sums = _mm512_add_epi32(sums, wide_exponentials(scores, i, n, mask, softmax, largest));
  }
  uint32_t sum = (uint32_t)_mm512_reduce_add_epi32(sums);
  __m512i factor = _mm512_set1_epi32((int32_t)(INT32_MAX / sum));
  __m512i rounding = _mm512_set1_epi32((int32_t)softmax->rounding);
  __m512i limit = _mm512_set1_epi32((1 << (softmax->bits - 1)) - 1);
  __m128i shift = _mm_cvtsi32_si128(32 - softmax->bits);
  for (int i = 0; i < (int)ivit_round_up((size_t)n, 64); i += 16) {
    __m512i p = _mm512_setzero_si512();
    if (i < n) {
      __m512i e = wide_exponentials(scores, i, n, mask, softmax, largest);
      p = _mm512_add_epi32(_mm512_mullo_epi32(e, factor), rounding);
      p = _mm512_min_epu32(_mm512_srl_epi32(p, shift), limit);
    }
    _mm_storeu_si128((__m128i *)(low + i), _mm512_cvtepi32_epi8(p));
    if (softmax->bits > 8) {
      _mm_storeu_si128((__m128i *)(high + i), _mm512_cvtepi32_epi8(_mm512_srli_epi32(p, 8)));
    }
  }
  return (int32_t)(INT32_MAX / sum);
}

/* Exponentials of 8 bits, one look-up each. */
static int32_t deferred(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    __m512i largest, uint8_t *low) {
  struct ivit_table_avx512 table = ivit_table_load(softmax->low);
  __m512i hidden = _mm512_set1_epi8((char)softmax->exponentials[256]);
  __m512i sums = _mm512_setzero_si512();
  for (int i = 0; i < n; i += 64) {
    __mmask64 seen = present(i, n);
    __m512i distance = _mm512_sub_epi8(largest, _mm512_maskz_loadu_epi8(seen, scores + i));
    __m512i e = ivit_table_look_up(&table, distance);
    if (mask != NULL) {
      e = _mm512_mask_mov_epi8(e, mask[i / 64], hidden);
    }
    e = _mm512_maskz_mov_epi8(seen, e);
    _mm512_storeu_si512(low + i, e);
    sums = _mm512_add_epi64(sums, _mm512_sad_epu8(e, _mm512_setzero_si512()));
  }
  return (int32_t)(INT32_MAX / (uint32_t)_mm512_reduce_add_epi64(sums));
}

void ivit_normalise_avx512(int32_t *acc, int rows, const int32_t *factor) {
  const __m512i half = _mm512_set1_epi64(1 << 15);
  for (int r = 0; r < rows; r++) {
    __m512i f = _mm512_set1_epi64(factor[r]);
    for (int c = 0; c < IVIT_COLUMNS; c += 16) {
      int32_t *at = acc + r * IVIT_COLUMNS + c;
      __m512i z = _mm512_loadu_si512(at);
      __m512i even = _mm512_add_epi64(_mm512_mul_epi32(z, f), half);
      __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(z, 32), f), half);
      /* Results fit 32 bits, so what lies above them is cut off. */
      __m512i y = _mm512_mask_mov_epi32(
          _mm512_srli_epi64(even, 16), 0xAAAA, _mm512_slli_epi64(odd, 16));
      _mm512_storeu_si512(at, y);
    }
  }
}

int32_t ivit_softmax_avx512(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane) {
  uint8_t *low = out, *high = out + plane;
  int32_t largest = largest_of(scores, n, mask);
  if (softmax->deferred) {
    return deferred(scores, n, mask, softmax, _mm512_set1_epi8((char)largest), low);
  }
  if (softmax->narrow) {
    return narrow(scores, n, mask, softmax, _mm512_set1_epi8((char)largest), high, low);
  }
  return wide(scores, n, mask, softmax, _mm512_set1_epi32(largest), high, low);
}
