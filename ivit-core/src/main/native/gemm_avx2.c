/*
 * Tile of a product on AVX2: 6 rows by 8 columns at a time. Codes and weights are widened to 16
 * bits for vpmaddwd, whose sums of two are exact; vpmaddubsw would saturate.
 */
#include "avx2.h"

#include <immintrin.h>
#include <string.h>

enum { ROWS = 6, PIECE = 128 /* groups that are widened together */ };

/* Accumulators of four columns: two partial sums each, which lie side by side. */
static inline __attribute__((always_inline)) void columns_of(
    const int rows, const int16_t wide[][4 * PIECE], int groups, const int8_t *weights,
    int32_t *acc) {
  __m256i low[ROWS], high[ROWS];
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    low[r] = _mm256_setzero_si256();
    high[r] = _mm256_setzero_si256();
  }
  for (int g = 0; g < groups; g++, weights += 4 * IVIT_COLUMNS) {
    __m256i first = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)weights));
    __m256i second = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(weights + 16)));
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      int64_t four;
      memcpy(&four, wide[r] + 4 * g, sizeof four);
      __m256i codes = _mm256_set1_epi64x(four);
      low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(codes, first));
      high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(codes, second));
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    __m256i sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low[r], high[r]), 0xD8);
    __m256i *to = (__m256i *)(acc + r * IVIT_COLUMNS);
    _mm256_store_si256(to, _mm256_add_epi32(_mm256_load_si256(to), sums));
  }
}

static void widen(const uint8_t *x, int groups, int16_t *out) {
  for (int i = 0; i < 4 * groups; i += 16) {
    __m128i codes = _mm_loadu_si128((const __m128i *)(x + i));
    _mm256_store_si256((__m256i *)(out + i), _mm256_cvtepu8_epi16(codes));
  }
}

static inline __attribute__((always_inline)) void accumulate_of(
    const int rows, const uint8_t *x, size_t ldx, const struct ivit_matrix *w, int panel,
    int32_t *acc) {
  _Alignas(32) int16_t wide[ROWS][4 * PIECE];
  const int8_t *weights = w->data + (size_t)panel * w->panel_size;
  for (int g = 0; g < w->groups; g += PIECE) {
    int groups = w->groups - g < PIECE ? w->groups - g : PIECE;
    for (int r = 0; r < rows; r++) {
      widen(x + (size_t)r * ldx + 4 * (size_t)g, groups, wide[r]);
    }
    for (int c = 0; c < IVIT_COLUMNS; c += 8) {
      columns_of(rows, wide, groups, weights + (size_t)g * 4 * IVIT_COLUMNS + 4 * c, acc + c);
    }
  }
}

static __attribute__((noinline)) void accumulate(
    int rows, const uint8_t *x, size_t ldx, const struct ivit_matrix *w, int panel,
    int32_t *acc) {
  switch (rows) {
    case 6: accumulate_of(6, x, ldx, w, panel, acc); break;
    case 5: accumulate_of(5, x, ldx, w, panel, acc); break;
    case 4: accumulate_of(4, x, ldx, w, panel, acc); break;
    case 3: accumulate_of(3, x, ldx, w, panel, acc); break;
    case 2: accumulate_of(2, x, ldx, w, panel, acc); break;
    default: accumulate_of(1, x, ldx, w, panel, acc); break;
  }
}

static void tile(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  memset(acc, 0, (size_t)rows * IVIT_COLUMNS * sizeof *acc);
  if (w->high.groups > 0) {
    accumulate(rows, high, ldh, &w->high, panel, acc);
  }
  const int32_t *bias = w->bias + panel * IVIT_COLUMNS;
  __m128i shift = _mm_cvtsi32_si128(w->shift);
  for (int r = 0; r < rows; r++) {
    for (int c = 0; c < IVIT_COLUMNS; c += 8) {
      __m256i *to = (__m256i *)(acc + r * IVIT_COLUMNS + c);
      __m256i shifted = _mm256_sll_epi32(_mm256_load_si256(to), shift);
      __m256i b = _mm256_load_si256((const __m256i *)(bias + c));
      _mm256_store_si256(to, _mm256_add_epi32(shifted, b));
    }
  }
  accumulate(rows, x, ldx, &w->main, panel, acc);
}

const struct ivit_kernels ivit_kernels_avx2 = {
    .name = "avx2",
    .rows = ROWS,
    .zero = 128,
    .pack = ivit_pack_dot,
    .pack_keys = ivit_pack_keys_dot,
    .pack_values = ivit_pack_values_dot,
    .tile = tile,
    .scores = tile,
    .context = tile,
    .to8 = ivit_to8_avx2,
    .add16 = ivit_add16_avx2,
    .norm = ivit_norm_avx2,
    .norm16 = ivit_norm16_c,
    .bias = ivit_bias_avx2,
    .softmax = ivit_softmax_avx2,
    .normalise = ivit_normalise_avx2,
};
