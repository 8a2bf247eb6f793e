/* I-LayerNorm of a row on AVX-512. */
#include "avx512.h"
#include "lanes_avx512.h"

static inline __m256i codes_at(const int16_t *x, int c, int channels, __mmask16 *lanes) {
  int left = channels - c;
  *lanes = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
  return _mm256_maskz_loadu_epi16(*lanes, x + c);
}

/* Sum and sum of squares; the sum of squares about the mean follows from them exactly. */
static inline int32_t statistics(
    const int16_t *x, const struct ivit_norm *norm, int32_t *mean) {
  int channels = norm->channels;
  __m512i sums = _mm512_setzero_si512();
  __m512i squares = _mm512_setzero_si512();
  const __m512i ones = _mm512_set1_epi16(1);
  const __m512i low = _mm512_set1_epi64(0xFFFFFFFF);
  for (int c = 0; c < channels; c += 32) {
    int left = channels - c;
    __mmask32 lanes = left >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << left) - 1;
    __m512i v = _mm512_maskz_loadu_epi16(lanes, x + c);
    sums = _mm512_add_epi32(sums, _mm512_madd_epi16(v, ones));
    /* Two squares reach 2^31: right as unsigned. */
    __m512i pairs = _mm512_madd_epi16(v, v);
    squares = _mm512_add_epi64(squares, _mm512_and_si512(pairs, low));
    squares = _mm512_add_epi64(squares, _mm512_srli_epi64(pairs, 32));
  }
  __m512i wide = _mm512_add_epi64(
      _mm512_cvtepi32_epi64(_mm512_castsi512_si256(sums)),
      _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(sums, 1)));
  int64_t sum = _mm512_reduce_add_epi64(wide);
  int64_t m = ivit_norm_mean(sum, channels);
  *mean = (int32_t)m;
  int64_t about = _mm512_reduce_add_epi64(squares) - 2 * m * sum + channels * m * m;
  return ivit_norm_factor((uint64_t)about + norm->epsilon);
}

/* What all channels of a row share. */
struct row {
  __m512i mean, factor;
  __m128i shift;
};

static inline struct row row_of(const int16_t *x, const struct ivit_norm *norm) {
  int32_t mean;
  int32_t factor = statistics(x, norm, &mean);
  struct row row = {
      _mm512_set1_epi32(mean), _mm512_set1_epi64(factor), _mm_cvtsi32_si128(norm->shift - 32)};
  return row;
}

/* Sixteen channels, not clamped yet. */
static inline __m512i normalise(
    const int16_t *x, const struct ivit_norm *norm, const struct row *row, int c,
    __mmask16 *lanes) {
  __m256i codes = codes_at(x, c, norm->channels, lanes);
  __m512i y = _mm512_sub_epi32(_mm512_cvtepi16_epi32(codes), row->mean);
  /* y' has 31 bits, so the lower half of a 64-bit lane holds it whole. */
  __m512i even = _mm512_srli_epi64(_mm512_mul_epi32(y, row->factor), 1);
  __m512i odd = _mm512_srli_epi64(_mm512_mul_epi32(ivit_odd_lanes(y), row->factor), 1);
  __m512i m = _mm512_loadu_si512(norm->multiplier + c);
  even = _mm512_add_epi64(
      _mm512_mul_epi32(even, m), _mm512_loadu_si512(norm->offset_even + c / 2));
  odd = _mm512_add_epi64(
      _mm512_mul_epi32(odd, ivit_odd_lanes(m)), _mm512_loadu_si512(norm->offset_odd + c / 2));
  return _mm512_sra_epi32(ivit_upper_halves(even, odd), row->shift);
}

void ivit_norm_avx512(const int16_t *x, const struct ivit_norm *norm, uint8_t *out) {
  if (norm->shift < 32) {
    ivit_norm_c(x, norm, out);
    return;
  }
  struct row row = row_of(x, norm);
  for (int c = 0; c < norm->channels; c += 16) {
    __mmask16 lanes;
    __m128i codes = _mm512_cvtsepi32_epi8(normalise(x, norm, &row, c, &lanes));
    _mm_mask_storeu_epi8(out + c, lanes, _mm_xor_si128(codes, _mm_set1_epi8((char)0x80)));
  }
}

void ivit_norm16_avx512(const int16_t *x, const struct ivit_norm *norm, int16_t *out) {
  if (norm->shift < 32) {
    ivit_norm16_c(x, norm, out);
    return;
  }
  struct row row = row_of(x, norm);
  for (int c = 0; c < norm->channels; c += 16) {
    __mmask16 lanes;
    __m256i codes = _mm512_cvtsepi32_epi16(normalise(x, norm, &row, c, &lanes));
    _mm256_mask_storeu_epi16(out + c, lanes, codes);
  }
}
