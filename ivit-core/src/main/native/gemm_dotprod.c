/*
 * Products on ARM's dot product of bytes: 8 rows by 8 columns in 16 accumulators, one sdot for 16
 * products, which takes four codes of a row from any quarter of a register.
 */
#include "heights.h"
#include "lanes_neon.h"
#include "neon.h"

enum { ROWS = 8, UNIT = 4, BLOCK = 8 /* columns */ };

/* Four codes along K of each row. */
#define QUARTER(q)                                                 \
  {                                                                \
    int8x16_t first = vld1q_s8(left + 16 * (q));                   \
    int8x16_t second = vld1q_s8(right + 16 * (q));                 \
    IVIT_UNROLL for (int r = 0; r < rows; r++) {       \
      acc[r][0] = vdotq_laneq_s32(acc[r][0], first, codes[r], q);  \
      acc[r][1] = vdotq_laneq_s32(acc[r][1], second, codes[r], q); \
    }                                                              \
  }

static inline __attribute__((always_inline)) void accumulate(
    int32x4_t acc[][2], const int rows, const uint8_t *x, size_t ldx, const struct ivit_matrix *w,
    int panel, int column) {
  size_t strip = ivit_strip_size_neon(w, UNIT);
  const int8_t *left = w->data + (size_t)panel * w->panel_size + (size_t)(column / 4) * strip;
  const int8_t *right = left + strip;
  const int8_t *row = (const int8_t *)x;
  for (int g = 0; g < w->groups; g++, row += 16, left += 64, right += 64) {
    int8x16_t codes[ROWS];
    IVIT_UNROLL
    for (int r = 0; r < rows; r++) {
      codes[r] = vld1q_s8(row + (size_t)r * ldx);
    }
    QUARTER(0)
    QUARTER(1)
    QUARTER(2)
    QUARTER(3)
  }
}

static inline __attribute__((always_inline)) void tile_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  for (int c = 0; c < IVIT_COLUMNS; c += BLOCK) {
    const int32_t *bias = w->bias + panel * IVIT_COLUMNS + c;
    int32x4_t first = vld1q_s32(bias), second = vld1q_s32(bias + 4);
    int32x4_t acc[ROWS][2];
    if (w->high.groups == 0) {
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        acc[r][0] = first;
        acc[r][1] = second;
      }
    } else {
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        acc[r][0] = vdupq_n_s32(0);
        acc[r][1] = vdupq_n_s32(0);
      }
      accumulate(acc, rows, high, ldh, &w->high, panel, c);
      int32x4_t shift = vdupq_n_s32(w->shift);
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        acc[r][0] = ivit_add_neon(vshlq_s32(acc[r][0], shift), first);
        acc[r][1] = ivit_add_neon(vshlq_s32(acc[r][1], shift), second);
      }
    }
    accumulate(acc, rows, x, ldx, &w->main, panel, c);
    IVIT_UNROLL
    for (int r = 0; r < rows; r++) {
      vst1q_s32(out + r * IVIT_COLUMNS + c, acc[r][0]);
      vst1q_s32(out + r * IVIT_COLUMNS + c + 4, acc[r][1]);
    }
  }
}

IVIT_TILE_BY_HEIGHT(tile, 8)

static int pack(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth) {
  return ivit_pack_neon(arena, m, weight, depth, UNIT);
}

static void pack_keys(const struct ivit_head *head, struct ivit_operand *keys) {
  ivit_pack_keys_neon(head, keys, UNIT);
}

static void pack_values(const struct ivit_head *head, int bits, struct ivit_operand *values) {
  ivit_pack_values_planes_neon(head, bits, values, UNIT);
}

IVIT_DECODING_NEON(UNIT)

const struct ivit_kernels ivit_kernels_dotprod = {
    .name = "dotprod",
    .rows = ROWS,
    .zero = 0,
    .pack = pack,
    .tables = &tables,
    .groups = &groups,
    .wide_groups = &wide_groups,
    .planes = 1,
    .pack_keys = pack_keys,
    .pack_values = pack_values,
    .tile = tile,
    .scores = tile,
    .context = tile,
    .to8 = ivit_to8_neon,
    .add16 = ivit_add16_neon,
    .turn8 = ivit_turn8_neon,
    .gate8 = ivit_gate8_neon,
    .gate16 = ivit_gate16_neon,
    .norm = ivit_norm_neon,
    .norm16 = ivit_norm16_neon,
    .bias = ivit_bias_neon,
    .softmax = ivit_softmax_planes_neon,
    .normalise = ivit_normalise_neon,
};
