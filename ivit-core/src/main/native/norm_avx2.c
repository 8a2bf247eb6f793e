/* I-LayerNorm of a row on AVX2; channels that do not fill a vector go one by one. */
#include "avx2.h"
#include "lanes_avx2.h"

static inline int64_t sum_of(__m256i v) {
  __m128i half = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

/* Sum and sum of squares; the sum of squares about the mean follows from them exactly. */
static inline int32_t statistics(
    const int16_t *x, const struct ivit_norm *norm, int32_t *mean) {
  int channels = norm->channels;
  __m256i sums = _mm256_setzero_si256();
  __m256i squares = _mm256_setzero_si256();
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i low = _mm256_set1_epi64x(0xFFFFFFFF);
  int whole = channels / 16 * 16;
  for (int c = 0; c < whole; c += 16) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(x + c));
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(v, ones));
    /* Two squares reach 2^31: right as unsigned. */
    __m256i pairs = _mm256_madd_epi16(v, v);
    squares = _mm256_add_epi64(squares, _mm256_and_si256(pairs, low));
    squares = _mm256_add_epi64(squares, _mm256_srli_epi64(pairs, 32));
  }
  int64_t sum = sum_of(_mm256_add_epi64(
      _mm256_cvtepi32_epi64(_mm256_castsi256_si128(sums)),
      _mm256_cvtepi32_epi64(_mm256_extracti128_si256(sums, 1))));
  int64_t square = sum_of(squares);
  for (int c = whole; c < channels; c++) {
    sum += x[c];
    square += x[c] * x[c];
  }
  int64_t m = ivit_norm_mean(sum, channels);
  *mean = (int32_t)m;
  return ivit_norm_factor((uint64_t)(square - 2 * m * sum + channels * m * m) + norm->epsilon);
}

/* A row and what its channels have in common, alone and in all lanes. */
struct row {
  const int16_t *x;
  const struct ivit_norm *norm;
  int32_t mean, factor;
  __m256i means, factors;
  __m128i shift;
};

static inline struct row row_of(const int16_t *x, const struct ivit_norm *norm) {
  struct row row = {.x = x, .norm = norm};
  row.factor = statistics(x, norm, &row.mean);
  row.means = _mm256_set1_epi32(row.mean);
  row.factors = _mm256_set1_epi64x(row.factor);
  row.shift = _mm_cvtsi32_si128(norm->shift - 32);
  return row;
}

static inline __m256i eight(const struct row *row, int c) {
  const struct ivit_norm *norm = row->norm;
  __m256i codes = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(row->x + c)));
  __m256i y = _mm256_sub_epi32(codes, row->means);
  /* y' has 31 bits, so the lower half of a 64-bit lane holds it whole. */
  __m256i even = _mm256_srli_epi64(_mm256_mul_epi32(y, row->factors), 1);
  __m256i odd = _mm256_srli_epi64(_mm256_mul_epi32(_mm256_srli_epi64(y, 32), row->factors), 1);
  __m256i m = _mm256_loadu_si256((const __m256i *)(norm->multiplier + c));
  even = _mm256_add_epi64(
      _mm256_mul_epi32(even, m),
      _mm256_loadu_si256((const __m256i *)(norm->offset_even + c / 2)));
  odd = _mm256_add_epi64(
      _mm256_mul_epi32(odd, _mm256_srli_epi64(m, 32)),
      _mm256_loadu_si256((const __m256i *)(norm->offset_odd + c / 2)));
  __m256i upper = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
  return _mm256_sra_epi32(upper, row->shift);
}

/* Channel c alone, not clamped yet. */
static inline int64_t one(const struct row *row, int c) {
  const struct ivit_norm *norm = row->norm;
  int64_t y = ((row->x[c] - row->mean) * (int64_t)row->factor) >> 1;
  return (y * norm->multiplier[c] + norm->offset[c]) >> norm->shift;
}

static inline int64_t clamp(int64_t v, int64_t low, int64_t high) {
  return v < low ? low : v > high ? high : v;
}

void ivit_norm_avx2(const int16_t *x, const struct ivit_norm *norm, uint8_t *out) {
  if (norm->shift < 32) {
    ivit_norm_c(x, norm, out);
    return;
  }
  struct row row = row_of(x, norm);
  int whole = norm->channels / IVIT_COLUMNS * IVIT_COLUMNS;
  for (int c = 0; c < whole; c += IVIT_COLUMNS) {
    __m256i codes = ivit_pack_codes_avx2(
        eight(&row, c), eight(&row, c + 8), eight(&row, c + 16), eight(&row, c + 24));
    _mm256_storeu_si256((__m256i *)(out + c), codes);
  }
  for (int c = whole; c < norm->channels; c++) {
    out[c] = (uint8_t)(clamp(one(&row, c), -128, 127) + 128);
  }
}

void ivit_norm16_avx2(const int16_t *x, const struct ivit_norm *norm, int16_t *out) {
  if (norm->shift < 32) {
    ivit_norm16_c(x, norm, out);
    return;
  }
  struct row row = row_of(x, norm);
  int whole = norm->channels / 16 * 16;
  for (int c = 0; c < whole; c += 16) {
    __m256i codes = _mm256_packs_epi32(eight(&row, c), eight(&row, c + 8));
    /* Packing works by halves. */
    _mm256_storeu_si256((__m256i *)(out + c), _mm256_permute4x64_epi64(codes, 0xD8));
  }
  for (int c = whole; c < norm->channels; c++) {
    out[c] = (int16_t)clamp(one(&row, c), INT16_MIN, INT16_MAX);
  }
}
