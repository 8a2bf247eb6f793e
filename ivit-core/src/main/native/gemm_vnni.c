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
    __m512i acc[][2], const int rows, const uint8_t *x, size_t ldx, const int8_t *weights,
    int groups) {
  const uint8_t *base[4] = {x, x + 3 * ldx, x + 6 * ldx, x + 9 * ldx};
  for (ptrdiff_t g = 0; g < groups; g++) {
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

/* Whether 64 codes of each row are all zero. */
static inline __attribute__((always_inline)) int are_zero(
    const int rows, const uint8_t *x, size_t ldx) {
  __m512i any = _mm512_loadu_si512(x);
#pragma GCC unroll 12
  for (int r = 1; r < rows; r++) {
    any = _mm512_or_si512(any, _mm512_loadu_si512(x + (size_t)r * ldx));
  }
  return _mm512_test_epi8_mask(any, any) == 0;
}

/*
 * The upper bytes of probabilities, of which few are not zero where rows are long: what 64 keys add
 * for all rows is left out where they are. What lies beyond the last key is zero.
 */
static inline __attribute__((always_inline)) void accumulate_upper(
    __m512i acc[][2], const int rows, const uint8_t *x, size_t ldx, const int8_t *values,
    int groups) {
  for (int g = 0; g < groups; g += 16, x += 64, values += 16 * 128) {
    if (!are_zero(rows, x, ldx)) {
      accumulate(acc, rows, x, ldx, values, groups - g < 16 ? groups - g : 16);
    }
  }
}

static inline const int8_t *panel_of(const struct ivit_matrix *w, int panel) {
  return w->data + (size_t)panel * w->panel_size;
}

/* Sums of rows, from those at `from`, `step` apart, on. */
static inline __attribute__((always_inline)) void load(
    __m512i acc[][2], const int rows, const int32_t *from, size_t step) {
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
    acc[r][0] = _mm512_load_si512(from + (size_t)r * step);
    acc[r][1] = _mm512_load_si512(from + (size_t)r * step + 16);
  }
}

static inline __attribute__((always_inline)) void store(
    __m512i acc[][2], const int rows, int32_t *out) {
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
    _mm512_store_si512(out + r * IVIT_COLUMNS, acc[r][0]);
    _mm512_store_si512(out + r * IVIT_COLUMNS + 16, acc[r][1]);
  }
}

static inline __attribute__((always_inline)) void set_zero(__m512i acc[][2], const int rows) {
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
    acc[r][0] = _mm512_setzero_si512();
    acc[r][1] = _mm512_setzero_si512();
  }
}

static inline __attribute__((always_inline)) void outliers_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  (void)x;
  (void)ldx;
  __m512i acc[12][2];
  set_zero(acc, rows);
  accumulate(acc, rows, high, ldh, panel_of(&w->high, panel), w->high.groups);
  store(acc, rows, out);
}

static inline __attribute__((always_inline)) void upper_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  (void)x;
  (void)ldx;
  __m512i acc[12][2];
  set_zero(acc, rows);
  accumulate_upper(acc, rows, high, ldh, panel_of(&w->high, panel), w->high.groups);
  store(acc, rows, out);
}

/* The main sums, from the bias on, or from what lies in `out` where something is apart. */
static inline __attribute__((always_inline)) void sums_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  (void)high;
  (void)ldh;
  __m512i acc[12][2];
  int apart = w->high.groups > 0;
  load(acc, rows, apart ? out : w->bias + panel * IVIT_COLUMNS, apart ? IVIT_COLUMNS : 0);
  accumulate(acc, rows, x, ldx, panel_of(&w->main, panel), w->main.groups);
  store(acc, rows, out);
}

/*
 * Functions of their own, with nothing between that reckons with the sums: then GCC keeps them in
 * registers.
 */
IVIT_TILE_BY_HEIGHT(outliers, 12)
IVIT_TILE_BY_HEIGHT(upper, 12)
IVIT_TILE_BY_HEIGHT(sums, 12)

/* What is apart, in memory. */
static void shift_and_add(int32_t *acc, int rows, const struct ivit_operand *w, int panel) {
  __m512i left = _mm512_load_si512(w->bias + panel * IVIT_COLUMNS);
  __m512i right = _mm512_load_si512(w->bias + panel * IVIT_COLUMNS + 16);
  __m128i shift = _mm_cvtsi32_si128(w->shift);
  for (int r = 0; r < rows; r++) {
    __m512i *at = (__m512i *)(acc + r * IVIT_COLUMNS);
    at[0] = _mm512_add_epi32(_mm512_sll_epi32(at[0], shift), left);
    at[1] = _mm512_add_epi32(_mm512_sll_epi32(at[1], shift), right);
  }
}

static void tile(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  if (w->high.groups > 0) {
    outliers(x, ldx, high, ldh, rows, w, panel, acc);
    shift_and_add(acc, rows, w, panel);
  }
  sums(x, ldx, high, ldh, rows, w, panel, acc);
}

static void context(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  if (w->high.groups > 0) {
    upper(x, ldx, high, ldh, rows, w, panel, acc);
    shift_and_add(acc, rows, w, panel);
  }
  sums(x, ldx, high, ldh, rows, w, panel, acc);
}

static const struct ivit_decoding tables = {
    ivit_pack_tables_dot, ivit_decode_tables_avx512, tile, 12, 0};
static const struct ivit_decoding groups = {
    ivit_pack_groups_dot, ivit_decode_groups_avx512, tile, 12, 0};
static const struct ivit_decoding wide_groups = {
    ivit_pack_wide_groups_dot, ivit_decode_wide_groups_avx512, tile, 12, 0};

const struct ivit_kernels ivit_kernels_vnni = {
    .name = "vnni",
    .rows = 12,
    .zero = 128,
    .pack = ivit_pack_dot,
    .tables = &tables,
    .groups = &groups,
    .wide_groups = &wide_groups,
    .planes = 1,
    .pack_keys = ivit_pack_keys_dot,
    .pack_values = ivit_pack_values_dot,
    .tile = tile,
    .scores = tile,
    .context = context,
    .to8 = ivit_to8_avx512,
    .add16 = ivit_add16_avx512,
    .turn8 = ivit_turn8_avx512,
    .gate8 = ivit_gate8_avx512,
    .gate16 = ivit_gate16_avx512,
    .norm = ivit_norm_avx512,
    .norm16 = ivit_norm16_avx512,
    .bias = ivit_bias_avx512,
    .softmax = ivit_softmax_avx512,
    .normalise = ivit_normalise_avx512,
};
