/*
 * Products on AVX2. Tile of a layer: 6 rows by 8 columns at a time, in runs of two vectors of
 * weights whose products are known to hold in 16 bits together (pack_avx2.c), so that one
 * vpmaddwd and one addition serve 64 products. Keys and values are codes of any size, which
 * vpmaddwd multiplies in 16 bits.
 */
#include "avx2.h"
#include "heights.h"
#include "lanes_avx2.h"
#include "pack.h"
#include "plan_avx2.h"

#include <immintrin.h>
#include <string.h>

enum { ROWS = 6, BLOCKS = IVIT_COLUMNS / IVIT_BLOCK_AVX2 };

static inline __m256i four_codes(const uint8_t *x) {
  int32_t codes;
  memcpy(&codes, x, sizeof codes);
  return _mm256_set1_epi32(codes);
}

static inline __m256i weights_at(const int8_t *weights) {
  return _mm256_load_si256((const __m256i *)weights);
}

/* Row r of the rows from x on. */
#define ROW(x, r) ((r) < 3 ? (x) + (size_t)(r) * ldx : (x) + ldx3 + (size_t)((r) - 3) * ldx)

/*
 * The products of a run, from where their codes lie; magnitudes meet weights with the signs of the
 * codes.
 */
static inline __attribute__((always_inline)) __m256i sums_of(
    const int kind, const uint8_t *a, const uint8_t *b, size_t plane, __m256i first,
    __m256i second, __m256i centre) {
  if (kind == IVIT_SIGN_AVX2) {
    first = _mm256_sign_epi8(first, four_codes(a + plane));
    second = _mm256_sign_epi8(second, four_codes(b + plane));
  }
  __m256i sums = _mm256_maddubs_epi16(four_codes(a), first);
  if (kind == IVIT_CENTRED_AVX2) {
    sums = _mm256_add_epi16(sums, centre);
  }
  return _mm256_add_epi16(sums, _mm256_maddubs_epi16(four_codes(b), second));
}

/* Runs of one kind; `plane` takes magnitudes to their codes. */
static inline __attribute__((always_inline)) void runs_of_kind(
    const int kind, const int rows, const uint8_t *x, size_t plane, size_t ldx,
    const int8_t *weights, const int32_t *places, const int16_t *centres, int runs, __m256i *acc) {
  const __m256i ones = _mm256_set1_epi16(1);
  const size_t ldx3 = 3 * ldx;
  for (int i = 0; i < runs; i++, weights += IVIT_RUN_AVX2) {
    __m256i first = weights_at(weights), second = weights_at(weights + IVIT_VECTOR_AVX2);
    ivit_fetch_ahead(weights);
    __m256i centre = kind == IVIT_CENTRED_AVX2
        ? _mm256_load_si256((const __m256i *)(centres + 16 * i))
        : _mm256_setzero_si256();
    const uint8_t *a = x + places[2 * i], *b = x + places[2 * i + 1];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __m256i sums = sums_of(kind, ROW(a, r), ROW(b, r), plane, first, second, centre);
      acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(sums, ones));
    }
  }
}

/* All runs of a block; acc [rows] are of eight columns. */
static inline __attribute__((always_inline)) void runs_of(
    const int rows, const uint8_t *x, size_t ldx, size_t plane, const struct ivit_block_avx2 *b,
    __m256i *acc) {
  const int8_t *weights = b->weights;
  const int32_t *places = b->places;
  int runs = b->runs[IVIT_OFFSET_AVX2];
  runs_of_kind(IVIT_OFFSET_AVX2, rows, x, plane, ldx, weights, places, NULL, runs, acc);
  weights += (size_t)runs * IVIT_RUN_AVX2;
  places += 2 * runs;
  runs = b->runs[IVIT_CENTRED_AVX2];
  runs_of_kind(IVIT_CENTRED_AVX2, rows, x, plane, ldx, weights, places, b->centres, runs, acc);
  weights += (size_t)runs * IVIT_RUN_AVX2;
  places += 2 * runs;
  runs_of_kind(
      IVIT_SIGN_AVX2, rows, x + IVIT_MAGNITUDES_AVX2 * plane, plane, ldx, weights, places, NULL,
      b->runs[IVIT_SIGN_AVX2], acc);
}

static inline __m256i load(const int32_t *v) {
  return _mm256_loadu_si256((const __m256i *)v);
}

/* Where the sums of eight columns begin: with `first` and what is apart. */
static inline __attribute__((always_inline)) void begin(
    const int rows, const uint8_t *high, size_t ldh, const struct ivit_operand *w,
    const struct ivit_block_avx2 *apart, __m256i first, __m256i *acc) {
  if (w->high.groups == 0) {
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      acc[r] = first;
    }
    return;
  }
  __m128i shift = _mm_cvtsi32_si128(w->shift);
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    acc[r] = load(apart->lack);
  }
  runs_of(rows, high, ldh, ivit_plane_avx2(w->high.groups), apart, acc);
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    acc[r] = _mm256_add_epi32(_mm256_sll_epi32(acc[r], shift), first);
  }
}

static inline __attribute__((always_inline)) void store(
    const int rows, const __m256i *acc, int32_t *out) {
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    _mm256_store_si256((__m256i *)(out + r * IVIT_COLUMNS), acc[r]);
  }
}

static inline const struct ivit_block_avx2 *blocks_of(const struct ivit_matrix *m, int panel) {
  if (m->decoding != NULL) {
    return (const struct ivit_block_avx2 *)(const void *)m->data;
  }
  return (const struct ivit_block_avx2 *)m->plan + BLOCKS * panel;
}

static inline __attribute__((always_inline)) void tile_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  const struct ivit_block_avx2 *main = blocks_of(&w->main, panel);
  const struct ivit_block_avx2 *apart = blocks_of(&w->high, panel);
  const int32_t *bias = w->bias + panel * IVIT_COLUMNS;
  size_t plane = ivit_plane_avx2(w->main.groups);
  for (int b = 0; b < BLOCKS; b++) {
    __m256i acc[ROWS];
    __m256i first = _mm256_add_epi32(load(bias + 8 * b), load(main[b].lack));
    begin(rows, high, ldh, w, &apart[b], first, acc);
    runs_of(rows, x, ldx, plane, &main[b], acc);
    store(rows, acc, out + 8 * b);
  }
}

/* The bias and what is apart. */
static inline __attribute__((always_inline)) void beginning_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  (void)x;
  (void)ldx;
  const struct ivit_block_avx2 *apart = blocks_of(&w->high, panel);
  const int32_t *bias = w->bias + panel * IVIT_COLUMNS;
  for (int b = 0; b < BLOCKS; b++) {
    __m256i acc[ROWS];
    begin(rows, high, ldh, w, &apart[b], load(bias + 8 * b), acc);
    store(rows, acc, out + 8 * b);
  }
}

IVIT_TILE_BY_HEIGHT(tile, 6)
IVIT_TILE_BY_HEIGHT(beginning, 4)

/* Twice as many rows as another tile, in parts of as many as the products of groups take at once. */
static void tile_of_groups(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  int parts = (rows + IVIT_GROUP_ROWS_AVX2 - 1) / IVIT_GROUP_ROWS_AVX2;
  for (int i = 0; i < parts; i++) {
    int from = rows * i / parts, n = rows * (i + 1) / parts - from;
    int32_t *to = acc + from * IVIT_COLUMNS;
    beginning(NULL, 0, high == NULL ? NULL : high + (size_t)from * ldh, ldh, n, w, panel, to);
    ivit_add_groups_avx2(x + (size_t)from * ldx, ldx, n, &w->main, to);
  }
}

static void arrange(const uint8_t *x, int n, uint8_t *out) {
  size_t plane = ivit_plane_avx2((n + 3) / 4);
  const __m256i sign = _mm256_set1_epi8((char)0x80);
  const __m256i second = ivit_order_of_avx2(1), third = ivit_order_of_avx2(2);
  for (size_t i = 0; i < plane; i += 32) {
    __m256i stored = _mm256_loadu_si256((const __m256i *)(x + i));
    __m256i codes = _mm256_xor_si256(stored, sign);
    __m256i *to = (__m256i *)(out + i);
    size_t step = plane / sizeof *to;
    _mm256_storeu_si256(to, stored);
    _mm256_storeu_si256(to + step, _mm256_shuffle_epi8(stored, second));
    _mm256_storeu_si256(to + 2 * step, _mm256_shuffle_epi8(stored, third));
    _mm256_storeu_si256(to + IVIT_MAGNITUDES_AVX2 * step, _mm256_abs_epi8(codes));
    _mm256_storeu_si256(to + IVIT_CODES_AVX2 * step, codes);
  }
}

/* Pairs along K of 16 columns of a matrix of 16-bit numbers, [pairs][32 columns][2]. */
static inline __attribute__((always_inline)) void pairs_of(
    const int rows, const int16_t *x, size_t ldx, const int16_t *w, int pairs, int32_t *out) {
  __m256i left[ROWS], right[ROWS];
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    left[r] = load(out + r * IVIT_COLUMNS);
    right[r] = load(out + r * IVIT_COLUMNS + 8);
  }
  for (int p = 0; p < pairs; p++, x += 2, w += 2 * IVIT_COLUMNS) {
    __m256i first = _mm256_load_si256((const __m256i *)w);
    __m256i second = _mm256_load_si256((const __m256i *)(w + 16));
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __m256i pair = four_codes((const uint8_t *)(x + (size_t)r * ldx));
      left[r] = _mm256_add_epi32(left[r], _mm256_madd_epi16(pair, first));
      right[r] = _mm256_add_epi32(right[r], _mm256_madd_epi16(pair, second));
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++) {
    _mm256_store_si256((__m256i *)(out + r * IVIT_COLUMNS), left[r]);
    _mm256_store_si256((__m256i *)(out + r * IVIT_COLUMNS + 8), right[r]);
  }
}

static void accumulate_pairs(
    int rows, const int16_t *x, size_t ldx, const int16_t *w, int pairs, int32_t *out) {
  for (int c = 0; c < IVIT_COLUMNS; c += 16, w += 32) {
    switch (rows) {
      case 6: pairs_of(6, x, ldx, w, pairs, out + c); break;
      case 5: pairs_of(5, x, ldx, w, pairs, out + c); break;
      case 4: pairs_of(4, x, ldx, w, pairs, out + c); break;
      case 3: pairs_of(3, x, ldx, w, pairs, out + c); break;
      case 2: pairs_of(2, x, ldx, w, pairs, out + c); break;
      default: pairs_of(1, x, ldx, w, pairs, out + c); break;
    }
  }
}

static const int16_t *wide_panel(const struct ivit_matrix *m, int panel) {
  return (const int16_t *)(const void *)(m->data + (size_t)panel * m->panel_size);
}

/* Queries are widened as codes, so that keys need no bias. */
static void scores(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  enum { PIECE = 128 };
  (void)high;
  (void)ldh;
  _Alignas(32) int16_t wide[ROWS][PIECE];
  const __m128i sign = _mm_set1_epi8((char)0x80);
  memset(acc, 0, (size_t)rows * IVIT_COLUMNS * sizeof *acc);
  const int16_t *keys = wide_panel(&w->main, panel);
  int depth = 2 * w->main.groups;
  for (int k = 0; k < depth; k += PIECE) {
    int n = depth - k < PIECE ? depth - k : PIECE;
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < n; i += 16) {
        __m128i codes = _mm_loadu_si128((const __m128i *)(x + (size_t)r * ldx + k + i));
        _mm256_store_si256(
            (__m256i *)(wide[r] + i), _mm256_cvtepi8_epi16(_mm_xor_si128(codes, sign)));
      }
    }
    accumulate_pairs(rows, wide[0], PIECE, keys + (size_t)k * IVIT_COLUMNS, n / 2, acc);
  }
}

/* Probabilities are 16-bit numbers, as softmax leaves them. */
static void context(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  (void)high;
  (void)ldh;
  memset(acc, 0, (size_t)rows * IVIT_COLUMNS * sizeof *acc);
  accumulate_pairs(
      rows, (const int16_t *)(const void *)x, ldx / sizeof(int16_t), wide_panel(&w->main, panel),
      w->main.groups, acc);
}

static const struct ivit_decoding tables = {
    ivit_pack_tables_avx2, ivit_decode_tables_runs_avx2, tile, ROWS, 1};
static const struct ivit_decoding groups = {
    ivit_pack_groups_avx2, ivit_decode_numbers_avx2, tile_of_groups, 2 * ROWS, 0};

const struct ivit_kernels ivit_kernels_avx2 = {
    .name = "avx2",
    .rows = ROWS,
    .zero = 128,
    .pack = ivit_pack_avx2,
    .tables = &tables,
    .groups = &groups,
    .planes = IVIT_PLANES_AVX2,
    .arrange = arrange,
    .pack_keys = ivit_pack_keys_avx2,
    .pack_values = ivit_pack_values_avx2,
    .tile = tile,
    .scores = scores,
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
