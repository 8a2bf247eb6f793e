/* Right operands in strips (neon.h): weights once, keys and values of a head for each picture. */
#include "lanes_neon.h"
#include "neon.h"
#include "pack.h"

#include <string.h>

enum { MOST_COLUMNS = 4 /* of a strip */, SIXTEEN = 16 /* columns of values packed at once */ };

/* And room for whether a panel overflows. */
void ivit_shape_neon(struct ivit_matrix *m, int columns, int depth, int unit) {
  ivit_matrix_columns(m, columns);
  m->groups = (depth + IVIT_STEP_NEON - 1) / IVIT_STEP_NEON;
  size_t strips = (size_t)(IVIT_COLUMNS / ivit_strip_columns_neon(unit));
  m->panel_size = strips * ivit_strip_size_neon(m, unit) + IVIT_ALIGN;
}

static int8_t *strip_of(const struct ivit_matrix *m, int column, int unit) {
  int strip = column % IVIT_COLUMNS / ivit_strip_columns_neon(unit);
  return m->data + (size_t)(column / IVIT_COLUMNS) * m->panel_size
      + (size_t)strip * ivit_strip_size_neon(m, unit);
}

static int8_t *overflow_of(const struct ivit_matrix *m, int panel) {
  return ivit_overflow_neon(m, m->data + (size_t)panel * m->panel_size, 16);
}

int ivit_overflows_neon(const struct ivit_matrix *m, int panel) {
  return *overflow_of(m, panel);
}

/* A step of the columns of a strip. */
static inline void interleave(int8_t *to, const uint8_t *const *column, int unit) {
  uint8x16_t c[MOST_COLUMNS];
  for (int i = 0; i < ivit_strip_columns_neon(unit); i++) {
    c[i] = vld1q_u8(column[i]);
  }
  ivit_interleave_neon(to, c, unit);
}

/* At most as many columns as a strip has, `stride` bytes apart; what is not there is zero. */
static void pack_strip(
    int8_t *to, const uint8_t *from, size_t stride, int columns, int depth, int unit) {
  static const uint8_t zeros[IVIT_STEP_NEON];
  const int n = ivit_strip_columns_neon(unit);
  const uint8_t *column[MOST_COLUMNS];
  uint8_t rest[MOST_COLUMNS][IVIT_STEP_NEON];
  int k = 0;
  for (; k + IVIT_STEP_NEON <= depth; k += IVIT_STEP_NEON, to += n * IVIT_STEP_NEON) {
    for (int i = 0; i < n; i++) {
      column[i] = i < columns ? from + (size_t)i * stride + k : zeros;
    }
    interleave(to, column, unit);
  }
  if (k < depth) {
    memset(rest, 0, sizeof rest);
    for (int i = 0; i < n; i++) {
      if (i < columns) {
        memcpy(rest[i], from + (size_t)i * stride + k, (size_t)(depth - k));
      }
      column[i] = rest[i];
    }
    interleave(to, column, unit);
  }
}

/* Whether two places of a column that meet in 16 bits are both -128. */
static int overflows(const int8_t *strip, int vectors) {
  int8x8_t least = vdup_n_s8(0);
  for (int i = 0; i < vectors; i++) {
    int8x16_t v = vld1q_s8(strip + 16 * i);
    least = vmin_s8(least, vmax_s8(vget_low_s8(v), vget_high_s8(v)));
  }
  return vminv_s8(least) == INT8_MIN;
}

static inline __attribute__((always_inline)) void pack_columns(
    const struct ivit_matrix *m, const uint8_t *from, size_t stride, int depth, const int unit) {
  const int n = ivit_strip_columns_neon(unit);
  for (int c = 0; c < m->columns; c += n) {
    int8_t *strip = strip_of(m, c, unit);
    int left = m->columns - c;
    pack_strip(strip, from + (size_t)c * stride, stride, left < n ? left : n, depth, unit);
    if (unit == 16) {
      int8_t *flag = overflow_of(m, c / IVIT_COLUMNS);
      int before = c % IVIT_COLUMNS != 0 && *flag;
      *flag = (int8_t)(before || overflows(strip, m->groups * n));
    }
  }
}

/* One loop a unit, which is then a constant. */
static void pack_any(
    const struct ivit_matrix *m, const uint8_t *from, size_t stride, int depth, int unit) {
  if (unit == 16) {
    pack_columns(m, from, stride, depth, 16);
  } else if (unit == 8) {
    pack_columns(m, from, stride, depth, 8);
  } else {
    pack_columns(m, from, stride, depth, 4);
  }
}

int ivit_pack_neon(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth, int unit) {
  ivit_shape_neon(m, m->columns, depth, unit);
  if (!ivit_matrix_take(arena, m, m->panel_size * (size_t)m->panels)) {
    return 0;
  }
  pack_any(m, (const uint8_t *)weight, (size_t)depth, depth, unit);
  return 1;
}

void ivit_pack_keys_neon(const struct ivit_head *h, struct ivit_operand *keys, int unit) {
  ivit_shape_neon(&keys->main, h->tokens, h->dim, unit);
  pack_any(&keys->main, h->keys, h->stride, h->dim, unit);
  memset(keys->bias, 0, (size_t)h->tokens * sizeof *keys->bias);
}

/* Sums of sixteen columns. */
struct sums {
  int32x4_t quarter[4];
};

static inline void add(struct sums *s, const uint8x16_t *rows, int n) {
  int16x8_t low = vdupq_n_s16(0), high = low;
  for (int i = 0; i < n; i++) {
    int8x16_t v = vreinterpretq_s8_u8(rows[i]);
    low = vaddw_s8(low, vget_low_s8(v));
    high = vaddw_high_s8(high, v);
  }
  s->quarter[0] = vaddw_s16(s->quarter[0], vget_low_s16(low));
  s->quarter[1] = vaddw_high_s16(s->quarter[1], low);
  s->quarter[2] = vaddw_s16(s->quarter[2], vget_low_s16(high));
  s->quarter[3] = vaddw_high_s16(s->quarter[3], high);
}

/*
 * Rows of sixteen codes to columns of `unit` rows. Each round interleaves the first half of all
 * bytes with the second, which turns the bits of a byte's place by one.
 */
static inline __attribute__((always_inline)) void transpose(uint8x16_t *v, const int unit) {
  for (int round = 1; round < unit; round *= 2) {
    uint8x16_t w[8];
    for (int i = 0; i < unit / 2; i++) {
      w[2 * i] = vzip1q_u8(v[i], v[i + unit / 2]);
      w[2 * i + 1] = vzip2q_u8(v[i], v[i + unit / 2]);
    }
    for (int i = 0; i < unit; i++) {
      v[i] = w[i];
    }
  }
}

/* Sixteen columns from `column` on, of which those beyond the head may be anything. */
static inline __attribute__((always_inline)) void pack_sixteen(
    const struct ivit_head *h, int column, struct ivit_operand *values, const int unit) {
  const int n = ivit_strip_columns_neon(unit);
  int8_t *to = strip_of(&values->main, column, unit);
  size_t strip = ivit_strip_size_neon(&values->main, unit);
  struct sums sums = {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}};
  for (int t = 0; t < values->main.groups * IVIT_STEP_NEON; t += unit, to += n * unit) {
    uint8x16_t v[8];
    for (int i = 0; i < unit; i++) {
      v[i] = vdupq_n_u8(0);
      if (t + i < h->tokens) {
        v[i] = vld1q_u8(h->values + (size_t)(t + i) * h->stride + column);
      }
    }
    add(&sums, v, unit);
    transpose(v, unit);
    for (int i = 0; i < unit; i++) {
      vst1q_s8(to + (size_t)i * strip, vreinterpretq_s8_u8(v[i]));
    }
  }
  for (int i = 0; i < 4; i++) {
    vst1q_s32(values->bias + column + 4 * i, vshlq_n_s32(sums.quarter[i], 7));
  }
}

void ivit_pack_values_planes_neon(
    const struct ivit_head *h, int bits, struct ivit_operand *values, int unit) {
  ivit_shape_neon(&values->main, h->dim, h->tokens, unit);
  for (int c = 0; c < h->dim; c += SIXTEEN) {
    if (unit == 8) {
      pack_sixteen(h, c, values, 8);
    } else {
      pack_sixteen(h, c, values, 4);
    }
  }
  values->high = values->main;
  if (bits <= 8) {
    values->high.groups = 0;
  }
}

void ivit_pack_values_words_neon(
    const struct ivit_head *h, int bits, struct ivit_operand *values) {
  (void)bits;
  ivit_matrix_columns(&values->main, h->dim);
  values->main.groups = h->tokens;
  values->main.panel_size = (size_t)h->tokens * IVIT_COLUMNS * sizeof(int16_t);
  for (int c = 0; c < h->dim; c += SIXTEEN) {
    int16_t *to = (int16_t *)(void *)(values->main.data
        + (size_t)(c / IVIT_COLUMNS) * values->main.panel_size) + c % IVIT_COLUMNS;
    for (int t = 0; t < h->tokens; t++, to += IVIT_COLUMNS) {
      int8x16_t v = vreinterpretq_s8_u8(vld1q_u8(h->values + (size_t)t * h->stride + c));
      vst1q_s16(to, vmovl_s8(vget_low_s8(v)));
      vst1q_s16(to + 8, vmovl_high_s8(v));
    }
  }
}
