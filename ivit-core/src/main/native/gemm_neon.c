/*
 * Products on NEON as every ARM64 has it: 4 rows by 4 columns in 16 accumulators, each with four
 * sums of one element. smull and smlal2 bring the products of sixteen places along K together in 16
 * bits, two and two, and sadalp adds these to 32 bits: three instructions for 16 products. Two
 * products fit 16 bits unless both codes of the right operand are -128; a panel that packing has
 * found to have such a pair (weights never do, keys may) is added product by product. Probabilities
 * of 16 bits meet values of 16 bits.
 */
#if !defined(__clang__)
/* gcc would order the instructions of a tile so that more registers are taken than there are. */
#pragma GCC optimize("no-schedule-insns")
#endif

#include "heights.h"
#include "lanes_neon.h"
#include "neon.h"

enum { ROWS = 4, UNIT = 16, COLUMNS = 4 /* at once */, CONTEXT_COLUMNS = 16 };

static inline __attribute__((always_inline)) int32x4_t multiply_add(
    int32x4_t sum, int8x16_t codes, int8x16_t weights, const int apart) {
  int16x8_t products = vmull_s8(vget_low_s8(codes), vget_low_s8(weights));
  if (apart) {
    return vpadalq_s16(vpadalq_s16(sum, products), vmull_high_s8(codes, weights));
  }
  return vpadalq_s16(sum, vmlal_high_s8(products, codes, weights));
}

static inline __attribute__((always_inline)) void accumulate(
    int32x4_t acc[][COLUMNS], const int rows, const uint8_t *x, size_t ldx,
    const int8_t *weights, size_t strip, int groups, const int apart) {
  IVIT_UNROLL
  for (int r = 0; r < rows; r++) {
    IVIT_UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      acc[r][c] = vdupq_n_s32(0);
    }
  }
  const int8_t *row = (const int8_t *)x;
  for (int g = 0; g < groups; g++, row += 16, weights += 16) {
    int8x16_t codes[ROWS];
    IVIT_UNROLL
    for (int r = 0; r < rows; r++) {
      codes[r] = vld1q_s8(row + (size_t)r * ldx);
    }
    IVIT_UNROLL
    for (int c = 0; c < COLUMNS; c++) {
      int8x16_t v = vld1q_s8(weights + (size_t)c * strip);
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        acc[r][c] = multiply_add(acc[r][c], codes[r], v, apart);
      }
    }
  }
}

/* Sums of four columns to sum[row]. */
static inline __attribute__((always_inline)) void sums_of(
    const int rows, const uint8_t *x, size_t ldx, const struct ivit_matrix *w, int panel,
    int column, int32x4_t *sum) {
  size_t strip = ivit_strip_size_neon(w, UNIT);
  const int8_t *weights = w->data + (size_t)panel * w->panel_size + (size_t)column * strip;
  int32x4_t acc[ROWS][COLUMNS];
  if (ivit_overflows_neon(w, panel)) {
    accumulate(acc, rows, x, ldx, weights, strip, w->groups, 1);
  } else {
    accumulate(acc, rows, x, ldx, weights, strip, w->groups, 0);
  }
  IVIT_UNROLL
  for (int r = 0; r < rows; r++) {
    sum[r] = vpaddq_s32(vpaddq_s32(acc[r][0], acc[r][1]), vpaddq_s32(acc[r][2], acc[r][3]));
  }
}

static inline __attribute__((always_inline)) void tile_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  for (int c = 0; c < IVIT_COLUMNS; c += COLUMNS) {
    int32_t *to = out + c;
    int32x4_t bias = vld1q_s32(w->bias + panel * IVIT_COLUMNS + c);
    int32x4_t sum[ROWS];
    if (w->high.groups > 0) {
      sums_of(rows, high, ldh, &w->high, panel, c, sum);
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        int32x4_t shifted = vshlq_s32(sum[r], vdupq_n_s32(w->shift));
        vst1q_s32(to + r * IVIT_COLUMNS, ivit_add_neon(shifted, bias));
      }
    } else {
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        vst1q_s32(to + r * IVIT_COLUMNS, bias);
      }
    }
    sums_of(rows, x, ldx, &w->main, panel, c, sum);
    IVIT_UNROLL
    for (int r = 0; r < rows; r++) {
      vst1q_s32(to + r * IVIT_COLUMNS, ivit_add_neon(vld1q_s32(to + r * IVIT_COLUMNS), sum[r]));
    }
  }
}

/* Values of one token times the probability that each row has for it. */
#define TOKEN(lane)                                                                     \
  {                                                                                     \
    int16x8_t first = vld1q_s16(v + (lane) * IVIT_COLUMNS);                             \
    int16x8_t second = vld1q_s16(v + (lane) * IVIT_COLUMNS + 8);                        \
    IVIT_UNROLL for (int r = 0; r < rows; r++) {                                        \
      acc[r][0] = vmlal_lane_s16(acc[r][0], vget_low_s16(first), p[r], lane);           \
      acc[r][1] = vmlal_high_lane_s16(acc[r][1], first, p[r], lane);                    \
      acc[r][2] = vmlal_lane_s16(acc[r][2], vget_low_s16(second), p[r], lane);          \
      acc[r][3] = vmlal_high_lane_s16(acc[r][3], second, p[r], lane);                   \
    }                                                                                   \
  }

static inline __attribute__((always_inline)) void context_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  (void)high;
  (void)ldh;
  for (int c = 0; c < IVIT_COLUMNS; c += CONTEXT_COLUMNS) {
    const int16_t *v = (const int16_t *)(const void *)(w->main.data
        + (size_t)panel * w->main.panel_size) + c;
    const uint8_t *probability = x;
    int32x4_t acc[ROWS][CONTEXT_COLUMNS / 4];
    int16x4_t p[ROWS];
    IVIT_UNROLL
    for (int r = 0; r < rows; r++) {
      IVIT_UNROLL
      for (int s = 0; s < CONTEXT_COLUMNS / 4; s++) {
        acc[r][s] = vdupq_n_s32(0);
      }
    }
    int t = 0;
    for (; t + 4 <= w->main.groups; t += 4, probability += 8, v += 4 * IVIT_COLUMNS) {
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        p[r] = vld1_s16((const int16_t *)(const void *)(probability + (size_t)r * ldx));
      }
      TOKEN(0)
      TOKEN(1)
      TOKEN(2)
      TOKEN(3)
    }
    for (; t < w->main.groups; t++, probability += 2, v += IVIT_COLUMNS) {
      IVIT_UNROLL
      for (int r = 0; r < rows; r++) {
        p[r] = vld1_s16((const int16_t *)(const void *)(probability + (size_t)r * ldx));
      }
      TOKEN(0)
    }
    IVIT_UNROLL
    for (int r = 0; r < rows; r++) {
      IVIT_UNROLL
      for (int s = 0; s < CONTEXT_COLUMNS / 4; s++) {
        vst1q_s32(out + r * IVIT_COLUMNS + c + 4 * s, acc[r][s]);
      }
    }
  }
}

IVIT_TILE_BY_HEIGHT(tile, 4)
IVIT_TILE_BY_HEIGHT(context, 4)

static int pack(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth) {
  return ivit_pack_neon(arena, m, weight, depth, UNIT);
}

static void pack_keys(const struct ivit_head *head, struct ivit_operand *keys) {
  ivit_pack_keys_neon(head, keys, UNIT);
}

IVIT_DECODING_NEON(UNIT)

const struct ivit_kernels ivit_kernels_neon = {
    .name = "neon",
    .rows = ROWS,
    .zero = 0,
    .pack = pack,
    .tables = &tables,
    .groups = &groups,
    .wide_groups = &wide_groups,
    .planes = 1,
    .pack_keys = pack_keys,
    .pack_values = ivit_pack_values_words_neon,
    .tile = tile,
    .scores = tile,
    .context = context,
    .to8 = ivit_to8_neon,
    .add16 = ivit_add16_neon,
    .turn8 = ivit_turn8_neon,
    .gate8 = ivit_gate8_neon,
    .gate16 = ivit_gate16_neon,
    .norm = ivit_norm_neon,
    .norm16 = ivit_norm16_neon,
    .bias = ivit_bias_neon,
    .softmax = ivit_softmax_words_neon,
    .normalise = ivit_normalise_neon,
};
