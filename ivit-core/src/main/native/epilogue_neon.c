/* What follows a product on NEON: requantization, clamp, GELU or residual. */
#include "lanes_neon.h"
#include "neon.h"

#include <string.h>

/* Four columns. */
static inline __attribute__((always_inline)) int32x4_t requantize(
    const int32_t *acc, const struct ivit_requant *q, int column, const int prescaled) {
  int32x4_t z = vld1q_s32(acc);
  if (prescaled) {
    int32x4_t limit = vld1q_s32(q->limit + column);
    z = vmaxq_s32(vminq_s32(z, limit), vnegq_s32(limit));
    z = vshlq_s32(z, vld1q_s32(q->prescale + column));
  }
  return ivit_upper_neon(
      z, vld1q_s32(q->multiplier + column), ivit_down_neon(vld1q_s32(q->shift + column)));
}

static inline __attribute__((always_inline)) void to8(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out, const int prescaled, const int with_gelu) {
  uint32_t outliers =
      with_gelu && gelu->outliers != NULL ? gelu->outliers[column / IVIT_COLUMNS] : 0;
  struct ivit_table_neon table;
  if (with_gelu) {
    table = ivit_table_neon_load(gelu->table);
  }
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    _Alignas(16) uint8_t row[IVIT_COLUMNS];
    uint8_t *to = n == IVIT_COLUMNS ? out[r] + column : row;
    for (int c = 0; c < IVIT_COLUMNS; c += 16) {
      uint8x16_t codes = ivit_codes_neon(
          requantize(acc + c, q, column + c, prescaled),
          requantize(acc + c + 4, q, column + c + 4, prescaled),
          requantize(acc + c + 8, q, column + c + 8, prescaled),
          requantize(acc + c + 12, q, column + c + 12, prescaled));
      if (with_gelu) {
        uint8x16_t values = ivit_look_up_neon(&table, codes);
        if (outliers != 0) {
          struct ivit_table_neon other = ivit_table_neon_load(gelu->outlier_table);
          values = vbslq_u8(
              ivit_bytes_of_bits_neon(outliers >> c), ivit_look_up_neon(&other, codes), values);
        }
        codes = values;
      }
      vst1q_u8(to + c, codes);
    }
    if (n != IVIT_COLUMNS) {
      memcpy(out[r] + column, row, (size_t)n);
    }
  }
}

void ivit_to8_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out) {
  if (gelu != NULL) {
    to8(acc, rows, q, gelu, column, n, out, 1, 1);
  } else if (q->prescaled) {
    to8(acc, rows, q, NULL, column, n, out, 1, 0);
  } else {
    to8(acc, rows, q, NULL, column, n, out, 0, 0);
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
    size_t bytes = (size_t)(n - c < 8 ? n - c : 8) * sizeof(int16_t);
    for (int r = 0; r < rows; r++) {
      const int16_t *from = identity[r] + column + c;
      int16_t part[8] = {0};
      if (bytes != sizeof part) {
        memcpy(part, from, bytes);
        from = part;
      }
      int16x8_t before = vld1q_s16(from);
      const int32_t *z = acc + r * IVIT_COLUMNS + c;
      int16x8_t codes = ivit_words_neon(
          requantize(z, q, column + c, prescaled),
          requantize(z + 4, q, column + c + 4, prescaled));
      int16x8_t sum = ivit_words_neon(
          vaddq_s32(
              apply(vget_low_s16(codes), &branch), apply(vget_low_s16(before), &same)),
          vaddq_s32(
              apply(vget_high_s16(codes), &branch), apply(vget_high_s16(before), &same)));
      if (bytes == sizeof part) {
        vst1q_s16(out[r] + column + c, sum);
      } else {
        memcpy(out[r] + column + c, &sum, bytes);
      }
    }
  }
}

void ivit_add16_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out) {
  if (q->prescaled) {
    add16(acc, rows, q, adder, column, n, identity, out, 1);
  } else {
    add16(acc, rows, q, adder, column, n, identity, out, 0);
  }
}
