/* What follows a product on NEON: requantization, clamp, GELU or residual. */
#include "neon.h"
#include "requantize.h"
#include "requantize_neon.h"

#include <string.h>

/* Four columns. */
static inline __attribute__((always_inline)) int32x4_t requantize(
    const int32_t *acc, const struct ivit_multipliers_neon *m, const int prescaled) {
  return ivit_requantize_neon(vld1q_s32(acc), m, prescaled);
}

/* Rows of 32 columns to out[row] + at. */
static inline __attribute__((always_inline)) void to_codes(
    const int32_t *acc, int rows, const struct ivit_requant *q, int column, uint8_t *const *out,
    int at, const int prescaled) {
  for (int c = 0; c < IVIT_COLUMNS; c += 16) {
    struct ivit_multipliers_neon a = ivit_multipliers_neon(q, column + c, prescaled);
    struct ivit_multipliers_neon b = ivit_multipliers_neon(q, column + c + 4, prescaled);
    struct ivit_multipliers_neon d = ivit_multipliers_neon(q, column + c + 8, prescaled);
    struct ivit_multipliers_neon e = ivit_multipliers_neon(q, column + c + 12, prescaled);
    for (int r = 0; r < rows; r++) {
      const int32_t *z = acc + r * IVIT_COLUMNS + c;
      uint8x16_t codes = ivit_codes_neon(
          requantize(z, &a, prescaled), requantize(z + 4, &b, prescaled),
          requantize(z + 8, &d, prescaled), requantize(z + 12, &e, prescaled));
      vst1q_u8(out[r] + at + c, codes);
    }
  }
}

/* GELU of 32 columns at out[row] + at; those with a bit in `outliers` take the other table. */
static void look_up(
    const struct ivit_gelu *gelu, int rows, uint32_t outliers, uint8_t *const *out, int at) {
  struct ivit_table_neon table = ivit_table_neon_load(gelu->table);
  if (outliers == 0) {
    for (int r = 0; r < rows; r++) {
      uint8_t *to = out[r] + at;
      vst1q_u8(to, ivit_look_up_neon(&table, vld1q_u8(to)));
      vst1q_u8(to + 16, ivit_look_up_neon(&table, vld1q_u8(to + 16)));
    }
    return;
  }
  for (int c = 0; c < IVIT_COLUMNS; c += 16) {
    uint8x16_t apart = ivit_bytes_of_bits_neon(outliers >> c);
    for (int r = 0; r < rows; r++) {
      struct ivit_table_neon other = ivit_table_neon_load(gelu->outlier_table);
      uint8x16_t codes = vld1q_u8(out[r] + at + c);
      uint8x16_t values = vbslq_u8(
          apart, ivit_look_up_neon(&other, codes), ivit_look_up_neon(&table, codes));
      vst1q_u8(out[r] + at + c, values);
    }
  }
}

static void to8(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, uint8_t *const *out, int at) {
  if (q->prescaled) {
    to_codes(acc, rows, q, column, out, at, 1);
  } else {
    to_codes(acc, rows, q, column, out, at, 0);
  }
  if (gelu != NULL) {
    uint32_t outliers = gelu->outliers == NULL ? 0 : gelu->outliers[column / IVIT_COLUMNS];
    look_up(gelu, rows, outliers, out, at);
  }
}

void ivit_to8_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out) {
  if (n == IVIT_COLUMNS) {
    to8(acc, rows, q, gelu, column, out, column);
    return;
  }
  uint8_t whole[IVIT_TILE_ROWS][IVIT_COLUMNS];
  uint8_t *row[IVIT_TILE_ROWS];
  for (int r = 0; r < IVIT_TILE_ROWS; r++) {
    row[r] = whole[r];
  }
  to8(acc, rows, q, gelu, column, row, 0);
  for (int r = 0; r < rows; r++) {
    memcpy(out[r] + column, whole[r], (size_t)n);
  }
}

/* A multiplier for all lanes. */
struct scalar {
  int32x4_t multiplier, prescale, down;
};

static inline struct scalar scalar_of(const struct ivit_dyadic *d) {
  struct scalar s = {
      vdupq_n_s32(d->multiplier), vdupq_n_s32(d->prescale),
      ivit_down_neon(vdupq_n_s32(d->shift))};
  return s;
}

static inline int32x4_t apply(int16x4_t codes, const struct scalar *s) {
  return ivit_upper_neon(vshlq_s32(vmovl_s16(codes), s->prescale), s->multiplier, s->down);
}

static inline __attribute__((always_inline)) void add16(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out, const int prescaled) {
  struct scalar branch = scalar_of(&adder->branch);
  struct scalar same = scalar_of(&adder->identity);
  for (int c = 0; c < n; c += 8) {
    struct ivit_multipliers_neon a = ivit_multipliers_neon(q, column + c, prescaled);
    struct ivit_multipliers_neon b = ivit_multipliers_neon(q, column + c + 4, prescaled);
    for (int r = 0; r < rows; r++) {
      const int32_t *z = acc + r * IVIT_COLUMNS + c;
      int16x8_t before = vld1q_s16(identity[r] + column + c);
      int16x8_t codes =
          ivit_words_neon(requantize(z, &a, prescaled), requantize(z + 4, &b, prescaled));
      int16x8_t sum = ivit_words_neon(
          vaddq_s32(
              apply(vget_low_s16(codes), &branch), apply(vget_low_s16(before), &same)),
          vaddq_s32(
              apply(vget_high_s16(codes), &branch), apply(vget_high_s16(before), &same)));
      vst1q_s16(out[r] + column + c, sum);
    }
  }
}

/* Columns from `first` on, which do not fill a vector. */
static void add16_rest(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int first, int n, const int16_t *const *identity, int16_t *const *out) {
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    for (int c = first; c < n; c++) {
      int32_t branch = ivit_clamp(ivit_requantize(acc[c], q, column + c), INT16_MIN, INT16_MAX);
      int32_t sum = ivit_dyadic_apply(branch, &adder->branch)
          + ivit_dyadic_apply(identity[r][column + c], &adder->identity);
      out[r][column + c] = (int16_t)ivit_clamp(sum, INT16_MIN, INT16_MAX);
    }
  }
}

void ivit_add16_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out) {
  int whole = n / 8 * 8;
  if (q->prescaled) {
    add16(acc, rows, q, adder, column, whole, identity, out, 1);
  } else {
    add16(acc, rows, q, adder, column, whole, identity, out, 0);
  }
  add16_rest(acc, rows, q, adder, column, whole, n, identity, out);
}
