/*
 * Tile of a product on AMX: 32 rows by 32 columns in four tile registers of accumulators, 64 codes
 * along K at a time. What lies beyond a row's codes meets weights that are zero.
 */
#include "avx512.h"

#if defined(IVIT_EMULATE_AMX)
#include "amx_emulation.h"
#else
#include <immintrin.h>
#if defined(_WIN32) && !defined(__clang__)
/* GCC's own take the stride as a long, which has 32 bits here and is no index. */
#undef _tile_loadd
#define _tile_loadd(tile, base, stride)                                             \
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile                               \
                   :                                                                \
                   : "r"((const void *)(base)), "r"((size_t)(stride))               \
                   : "memory")
#undef _tile_stored
#define _tile_stored(tile, base, stride)                                            \
  __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)"                           \
                   :                                                                \
                   : "r"((void *)(base)), "r"((size_t)(stride))                     \
                   : "memory")
#endif
#endif

#include <string.h>

enum { TILE_ROWS = 16, TILE_BYTES = 64, TILES = 8 };

/* Memory of LDTILECFG. */
struct configuration {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t bytes[16];
  uint8_t rows[16];
};

/* Tile registers belong to the thread; all eight have their full size. */
static void enter(void) {
  struct configuration c;
  memset(&c, 0, sizeof c);
  c.palette = 1;
  for (int i = 0; i < TILES; i++) {
    c.bytes[i] = TILE_BYTES;
    c.rows[i] = TILE_ROWS;
  }
  _tile_loadconfig(&c);
}

static void leave(void) {
  _tile_release();
}

/* Tiles 0 and 1 are 16 rows by 32 columns, 2 and 3 the next 16 rows; 4, 5 codes, 6, 7 weights. */
static void accumulate(
    const uint8_t *x, size_t ldx, int rows, const struct ivit_matrix *w, int panel) {
  const int8_t *weights = w->data + (size_t)panel * w->panel_size;
  const uint8_t *below = x + TILE_ROWS * ldx;
  const int weight_stride = 4 * IVIT_COLUMNS;
  for (int g = 0; g < w->groups; g += IVIT_K_GROUP) {
    _tile_loadd(4, x, ldx);
    _tile_loadd(6, weights, weight_stride);
    _tile_dpbusd(0, 4, 6);
    _tile_loadd(7, weights + TILE_BYTES, weight_stride);
    _tile_dpbusd(1, 4, 7);
    if (rows > TILE_ROWS) {
      _tile_loadd(5, below, ldx);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
    x += TILE_BYTES;
    below += TILE_BYTES;
    weights += IVIT_K_GROUP * weight_stride;
  }
}

static void load(const int32_t *acc, int rows) {
  const int stride = IVIT_COLUMNS * sizeof(int32_t);
  _tile_loadd(0, acc, stride);
  _tile_loadd(1, acc + 16, stride);
  if (rows > TILE_ROWS) {
    _tile_loadd(2, acc + TILE_ROWS * IVIT_COLUMNS, stride);
    _tile_loadd(3, acc + TILE_ROWS * IVIT_COLUMNS + 16, stride);
  }
}

static void store(int32_t *acc, int rows) {
  const int stride = IVIT_COLUMNS * sizeof(int32_t);
  _tile_stored(0, acc, stride);
  _tile_stored(1, acc + 16, stride);
  if (rows > TILE_ROWS) {
    _tile_stored(2, acc + TILE_ROWS * IVIT_COLUMNS, stride);
    _tile_stored(3, acc + TILE_ROWS * IVIT_COLUMNS + 16, stride);
  }
}

static void zero(int32_t *acc, int rows) {
  memset(acc, 0, (size_t)(rows > TILE_ROWS ? 2 : 1) * TILE_ROWS * IVIT_COLUMNS * sizeof *acc);
}

static void shift_and_add(int32_t *acc, int rows, int shift, const int32_t *bias) {
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    for (int c = 0; c < IVIT_COLUMNS; c++) {
      acc[c] = (int32_t)(((uint32_t)acc[c] << shift) + (uint32_t)bias[c]);
    }
  }
}

static void tile(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  zero(acc, rows);
  if (w->high.groups > 0) {
    load(acc, rows);
    accumulate(high, ldh, rows, &w->high, panel);
    store(acc, rows);
  }
  shift_and_add(acc, rows, w->shift, w->bias + panel * IVIT_COLUMNS);
  load(acc, rows);
  accumulate(x, ldx, rows, &w->main, panel);
  store(acc, rows);
}

static const struct ivit_decoding tables = {
    ivit_pack_tables_dot, ivit_decode_tables_avx512, tile, 2 * TILE_ROWS, 0};
static const struct ivit_decoding groups = {
    ivit_pack_groups_dot, ivit_decode_groups_avx512, tile, 2 * TILE_ROWS, 0};
static const struct ivit_decoding wide_groups = {
    ivit_pack_wide_groups_dot, ivit_decode_wide_groups_avx512, tile, 2 * TILE_ROWS, 0};

const struct ivit_kernels ivit_kernels_amx = {
    .name = "amx",
    .rows = 2 * TILE_ROWS,
    .enter = enter,
    .leave = leave,
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
    .context = tile,
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
