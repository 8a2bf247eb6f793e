/*
 * Products on AVX-VNNI: 6 rows by 16 columns in 12 accumulators of 256 bits, one vpdpbusd for 32
 * products of bytes, one vpdpwssd for 16 of probabilities and values.
 */
#include "avx2.h"
#include "heights.h"

#if defined(IVIT_EMULATE_AVXVNNI)
#include "avxvnni_emulation.h"
#else
#include <immintrin.h>
#endif

#include <string.h>

enum { ROWS = 6, HALF = 16 /* columns */ };

static inline __m256i four_bytes(const void *x) {
  int32_t bytes;
  memcpy(&bytes, x, sizeof bytes);
  return _mm256_set1_epi32(bytes);
}

static inline __m256i load(const void *v) {
  return _mm256_load_si256((const __m256i *)v);
}

/* Row r of the rows from x on, `stride` bytes apart. */
#define ROW(x, r) \
  ((r) < 3 ? (x) + (size_t)(r) * stride : (x) + 3 * stride + (size_t)((r) - 3) * stride)

static inline __attribute__((always_inline)) void bytes_of(
    __m256i acc[][2], const int rows, const uint8_t *x, size_t stride, const int8_t *weights,
    int groups) {
  for (int g = 0; g < groups; g++, x += 4, weights += 4 * IVIT_COLUMNS) {
    __m256i left = load(weights), right = load(weights + 32);
    ivit_fetch_ahead(weights);
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __m256i codes = four_bytes(ROW(x, r));
      acc[r][0] = _mm256_dpbusd_avx_epi32(acc[r][0], codes, left);
      acc[r][1] = _mm256_dpbusd_avx_epi32(acc[r][1], codes, right);
    }
  }
}

static const int8_t *weights_of(const struct ivit_matrix *m, int panel, int column) {
  return m->data + (size_t)panel * m->panel_size + 4 * column;
}

static inline __attribute__((always_inline)) void tile_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  for (int c = 0; c < IVIT_COLUMNS; c += HALF) {
    const int32_t *bias = w->bias + panel * IVIT_COLUMNS + c;
    __m256i acc[ROWS][2];
    if (w->high.groups == 0) {
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        acc[r][0] = load(bias);
        acc[r][1] = load(bias + 8);
      }
    } else {
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        acc[r][0] = _mm256_setzero_si256();
        acc[r][1] = _mm256_setzero_si256();
      }
      bytes_of(acc, rows, high, ldh, weights_of(&w->high, panel, c), w->high.groups);
      __m128i shift = _mm_cvtsi32_si128(w->shift);
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        acc[r][0] = _mm256_add_epi32(_mm256_sll_epi32(acc[r][0], shift), load(bias));
        acc[r][1] = _mm256_add_epi32(_mm256_sll_epi32(acc[r][1], shift), load(bias + 8));
      }
    }
    bytes_of(acc, rows, x, ldx, weights_of(&w->main, panel, c), w->main.groups);
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      _mm256_store_si256((__m256i *)(out + r * IVIT_COLUMNS + c), acc[r][0]);
      _mm256_store_si256((__m256i *)(out + r * IVIT_COLUMNS + c + 8), acc[r][1]);
    }
  }
}

/* Probabilities of 16 bits, as softmax leaves them, by pairs of values (heads_avx2.c). */
static inline __attribute__((always_inline)) void context_of(
    const int rows, const uint8_t *x, size_t stride, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  (void)high;
  (void)ldh;
  for (int c = 0; c < IVIT_COLUMNS; c += HALF) {
    const int8_t *values = w->main.data + (size_t)panel * w->main.panel_size + 4 * c;
    const uint8_t *pair = x;
    __m256i acc[ROWS][2];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      acc[r][0] = _mm256_setzero_si256();
      acc[r][1] = _mm256_setzero_si256();
    }
    for (int p = 0; p < w->main.groups; p++, pair += 4, values += 4 * IVIT_COLUMNS) {
      __m256i left = load(values), right = load(values + 32);
#pragma GCC unroll 6
      for (int r = 0; r < rows; r++) {
        __m256i probabilities = four_bytes(ROW(pair, r));
        acc[r][0] = _mm256_dpwssd_avx_epi32(acc[r][0], probabilities, left);
        acc[r][1] = _mm256_dpwssd_avx_epi32(acc[r][1], probabilities, right);
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      _mm256_store_si256((__m256i *)(out + r * IVIT_COLUMNS + c), acc[r][0]);
      _mm256_store_si256((__m256i *)(out + r * IVIT_COLUMNS + c + 8), acc[r][1]);
    }
  }
}

IVIT_TILE_BY_HEIGHT(tile, 6)
IVIT_TILE_BY_HEIGHT(context, 6)

static const struct ivit_decoding tables = {
    ivit_pack_tables_dot, ivit_decode_tables_avx2, tile, ROWS, 0};
static const struct ivit_decoding groups = {
    ivit_pack_groups_dot, ivit_decode_groups_avx2, tile, ROWS, 0};
static const struct ivit_decoding wide_groups = {
    ivit_pack_wide_groups_dot, ivit_decode_wide_groups_avx2, tile, ROWS, 0};

const struct ivit_kernels ivit_kernels_avxvnni = {
    .name = "avxvnni",
    .rows = ROWS,
    .zero = 128,
    .pack = ivit_pack_dot,
    .tables = &tables,
    .groups = &groups,
    .wide_groups = &wide_groups,
    .planes = 1,
    .pack_keys = ivit_pack_keys_dot,
    .pack_values = ivit_pack_values_avx2,
    .tile = tile,
    .scores = tile,
    .context = context,
    .to8 = ivit_to8_avx2,
    .add16 = ivit_add16_avx2,
    .turn8 = ivit_turn8_avx2,
    .gate8 = ivit_gate8_avx2,
    .gate16 = ivit_gate16_avx2,
    .norm = ivit_norm_avx2,
    .norm16 = ivit_norm16_avx2,
    .bias = ivit_bias_avx2,
    .softmax = ivit_softmax_avx2,
    .normalise = ivit_normalise_avx2,
};
