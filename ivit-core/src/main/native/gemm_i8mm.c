/*
 * Products on ARM's multiplication of matrices of bytes: 4 rows by 16 columns in 16 accumulators of
 * 2 by 2, one smmla for 32 products of two rows by two columns.
 */
#if !defined(__clang__)
/* gcc would order the instructions of a tile so that more registers are taken than there are. */
#pragma GCC optimize("no-schedule-insns")
#endif

#include "heights.h"
#include "lanes_neon.h"
#include "neon.h"

enum { ROWS = 4, UNIT = 8, STRIPS = 8 /* at once */, BLOCK = 2 * STRIPS /* columns */ };

static inline int8x16_t lower_halves(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

static inline int8x16_t upper_halves(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

/* acc[i][s] has rows 2i and 2i + 1; of an odd number of rows the last one counts twice. */
static inline __attribute__((always_inline)) void accumulate(
    int32x4_t acc[][STRIPS], const int rows, const uint8_t *x, size_t ldx,
    const struct ivit_matrix *w, int panel, int column) {
  size_t strip = ivit_strip_size_neon(w, UNIT);
  const int8_t *weights = w->data + (size_t)panel * w->panel_size + (size_t)(column / 2) * strip;
  const int8_t *row = (const int8_t *)x;
  for (int g = 0; g < w->groups; g++, row += 16, weights += 32) {
    int8x16_t lower[ROWS / 2], upper[ROWS / 2];
    IVIT_UNROLL
    for (int i = 0; 2 * i < rows; i++) {
      int8x16_t first = vld1q_s8(row + (size_t)(2 * i) * ldx);
      int8x16_t second = 2 * i + 1 < rows ? vld1q_s8(row + (size_t)(2 * i + 1) * ldx) : first;
      lower[i] = lower_halves(first, second);
      upper[i] = upper_halves(first, second);
    }
    IVIT_UNROLL
    for (int s = 0; s < STRIPS; s++) {
      int8x16_t first = vld1q_s8(weights + (size_t)s * strip);
      int8x16_t second = vld1q_s8(weights + (size_t)s * strip + 16);
      IVIT_UNROLL
      for (int i = 0; 2 * i < rows; i++) {
        acc[i][s] = vmmlaq_s32(acc[i][s], lower[i], first);
      }
      IVIT_UNROLL
      for (int i = 0; 2 * i < rows; i++) {
        acc[i][s] = vmmlaq_s32(acc[i][s], upper[i], second);
      }
    }
  }
}

/* The biases of a strip for both rows. */
static inline int32x4_t bias_of(const int32_t *bias, int s) {
  int32x2_t two = vld1_s32(bias + 2 * s);
  return vcombine_s32(two, two);
}

/* One row of two strips. */
static inline int32x4_t row_of(int32x4_t a, int32x4_t b, int upper) {
  int64x2_t v = vreinterpretq_s64_s32(a), w = vreinterpretq_s64_s32(b);
  return vreinterpretq_s32_s64(upper ? vzip2q_s64(v, w) : vzip1q_s64(v, w));
}

static inline __attribute__((always_inline)) void tile_of(
    const int rows, const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,
    const struct ivit_operand *w, int panel, int32_t *out) {
  for (int c = 0; c < IVIT_COLUMNS; c += BLOCK) {
    const int32_t *bias = w->bias + panel * IVIT_COLUMNS + c;
    int32x4_t acc[ROWS / 2][STRIPS];
    if (w->high.groups == 0) {
      IVIT_UNROLL
      for (int i = 0; 2 * i < rows; i++) {
        IVIT_UNROLL
        for (int s = 0; s < STRIPS; s++) {
          acc[i][s] = bias_of(bias, s);
        }
      }
    } else {
      IVIT_UNROLL
      for (int i = 0; 2 * i < rows; i++) {
        IVIT_UNROLL
        for (int s = 0; s < STRIPS; s++) {
          acc[i][s] = vdupq_n_s32(0);
        }
      }
      accumulate(acc, rows, high, ldh, &w->high, panel, c);
      int32x4_t shift = vdupq_n_s32(w->shift);
      IVIT_UNROLL
      for (int i = 0; 2 * i < rows; i++) {
        IVIT_UNROLL
        for (int s = 0; s < STRIPS; s++) {
          acc[i][s] = ivit_add_neon(vshlq_s32(acc[i][s], shift), bias_of(bias, s));
        }
      }
    }
    accumulate(acc, rows, x, ldx, &w->main, panel, c);
    IVIT_UNROLL
    for (int r = 0; r < rows; r++) {
      IVIT_UNROLL
      for (int s = 0; s < STRIPS; s += 2) {
        vst1q_s32(
            out + r * IVIT_COLUMNS + c + 2 * s, row_of(acc[r / 2][s], acc[r / 2][s + 1], r % 2));
      }
    }
  }
}

IVIT_TILE_BY_HEIGHT(tile, 4)

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

const struct ivit_kernels ivit_kernels_i8mm = {
    .name = "i8mm",
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
