/*
 * Tile of a product on AVX512-VNNI: 12 rows by 32 columns in 24 accumulators, one vpdpbusd for 64
 * products. A panel of 32 columns stays in the first-level cache while all rows pass over it.
 */
#include "avx512.h"
#include "heights.h"

#include <immintrin.h>
#include <string.h>

static inline __m512i four_codes(const uint8_t *x) {
  int32_t codes;
  memcpy(&codes, x, sizeof codes);
  return _mm512_set1_epi32(codes);
}

/* Rows are reached from every third one, which leaves registers for the addresses. */
static inline __attribute__((always_inline)) void accumulate(
    __m512i acc[][2], const int rows, const uint8_t *x, size_t ldx, const struct ivit_matrix *w,
    int panel) {
  const int8_t *weights = w->data + panel * w->panel_size;
  const uint8_t *base[4] = {x, x + 3 * ldx, x + 6 * ldx, x + 9 * ldx};
  for (ptrdiff_t g = 0; g < w->groups; g++) {
    __m512i left = _mm512_load_si512(weights + 128 * g);
    __m512i right = _mm512_load_si512(weights + 128 * g + 64);
    ivit_fetch_ahead(weights + 128 * g);
    ivit_fetch_ahead(weights + 128 * g + 64);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      __m512i codes = four_codes(base[r / 3] + (size_t)(r % 3) * ldx + 4 * g);
      acc[r][0] = _mm512_dpbusd_epi32(acc[r][0], codes, left);
      acc[r][1] = _mm512_dpbusd_epi32(acc[r][1], codes, right);
    }
  }
}

static inline __attribute__((always_inline)) void tile_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  const int32_t *bias = w->bias + panel * IVIT_COLUMNS;
  __m512i left = _mm512_load_si512(bias);
  __m512i right = _mm512_load_si512(bias + 16);
  __m512i acc[12][2];
  if (w->high.groups == 0) {
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      acc[r][0] = left;
      acc[r][1] = right;
    }
  } else {
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      acc[r][0] = _mm512_setzero_si512();
      acc[r][1] = _mm512_setzero_si512();
    }
    accumulate(acc, rows, high, ldh, &w->high, panel);
    __m128i shift = _mm_cvtsi32_si128(w->shift);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      acc[r][0] = _mm512_add_epi32(_mm512_sll_epi32(acc[r][0], shift), left);
      acc[r][1] = _mm512_add_epi32(_mm512_sll_epi32(acc[r][1], shift), right);
    }
  }
  accumulate(acc, rows, x, ldx, &w->main, panel);
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
    _mm512_store_si512(out + r * IVIT_COLUMNS, acc[r][0]);
    _mm512_store_si512(out + r * IVIT_COLUMNS + 16, acc[r][1]);
  }
}

IVIT_TILE_BY_HEIGHT(tile, 12)

const struct ivit_kernels ivit_kernels_vnni = {
    .name = "vnni",
    .rows = 12,
    .zero = 128,
    .pack = ivit_pack_dot,
    .planes = 1,
    .pack_keys = ivit_pack_keys_dot,
    .pack_values = ivit_pack_values_dot,
    .tile = tile,
    .scores = tile,
    .context = tile,
    .to8 = ivit_to8_avx512,
    .add16 = ivit_add16_avx512,
    .norm = ivit_norm_avx512,
    .norm16 = ivit_norm16_avx512,
    .bias = ivit_bias_avx512,
    .softmax = ivit_softmax_avx512,
    .normalise = ivit_normalise_avx512,
};
