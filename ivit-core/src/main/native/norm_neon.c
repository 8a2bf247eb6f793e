/* I-LayerNorm of a row on NEON; channels that do not fill a vector go one by one. */
#include "lanes_neon.h"
#include "neon.h"

/* Sum and sum of squares; the sum of squares about the mean follows from them exactly. */
static inline int32_t statistics(
    const int16_t *x, const struct ivit_norm *norm, int32_t *mean) {
  int channels = norm->channels;
  int32x4_t sums = vdupq_n_s32(0);
  int64x2_t squares = vdupq_n_s64(0);
  int whole = channels / 8 * 8;
  for (int c = 0; c < whole; c += 8) {
    int16x8_t v = vld1q_s16(x + c);
    sums = vpadalq_s16(sums, v);
    squares = vpadalq_s32(squares, vmull_s16(vget_low_s16(v), vget_low_s16(v)));
    squares = vpadalq_s32(squares, vmull_high_s16(v, v));
  }
  int64_t sum = vaddlvq_s32(sums);
  int64_t square = vaddvq_s64(squares);
  for (int c = whole; c < channels; c++) {
    sum += x[c];
    square += x[c] * x[c];
  }
  int64_t m = ivit_norm_mean(sum, channels);
  *mean = (int32_t)m;
  return ivit_norm_factor((uint64_t)(square - 2 * m * sum + channels * m * m) + norm->epsilon);
}

/* What a row has for all channels. */
struct row {
  int32_t mean;
  int32_t factor;
  int shift;
};

/*
 * Four channels, clamped to 32 bits. No difference is beyond the deviation, so that times the
 * factor has 31 bits.
 */
static inline int32x4_t four(
    int16x4_t x, const struct row *row, const struct ivit_norm *norm, int c) {
  int32x4_t y = vsubq_s32(vmovl_s16(x), vdupq_n_s32(row->mean));
  y = vshrq_n_s32(vmulq_s32(y, vdupq_n_s32(row->factor)), 1);
  int32x4_t m = vld1q_s32(norm->multiplier + c);
  int64x2_t low = vmlal_s32(vld1q_s64(norm->offset + c), vget_low_s32(y), vget_low_s32(m));
  int64x2_t high = vmlal_high_s32(vld1q_s64(norm->offset + c + 2), y, m);
  int64x2_t down = vdupq_n_s64(-row->shift);
  return vqmovn_high_s64(vqmovn_s64(vshlq_s64(low, down)), vshlq_s64(high, down));
}

static inline int16x8_t eight(
    const int16_t *x, const struct row *row, const struct ivit_norm *norm, int c) {
  int16x8_t v = vld1q_s16(x + c);
  return ivit_words_neon(
      four(vget_low_s16(v), row, norm, c), four(vget_high_s16(v), row, norm, c + 4));
}

/* Channel c alone, not clamped yet. */
static inline int64_t one(
    const int16_t *x, const struct row *row, const struct ivit_norm *norm, int c) {
  int64_t y = ((int64_t)(x[c] - row->mean) * row->factor) >> 1;
  return (y * norm->multiplier[c] + norm->offset[c]) >> norm->shift;
}

static inline int64_t clamp(int64_t v, int64_t low, int64_t high) {
  return v < low ? low : v > high ? high : v;
}

static inline struct row row_of(const int16_t *x, const struct ivit_norm *norm) {
  struct row row;
  row.factor = statistics(x, norm, &row.mean);
  row.shift = norm->shift;
  return row;
}

void ivit_norm_neon(const int16_t *x, const struct ivit_norm *norm, uint8_t *out) {
  struct row row = row_of(x, norm);
  int whole = norm->channels / 8 * 8;
  for (int c = 0; c < whole; c += 8) {
    vst1_u8(out + c, vreinterpret_u8_s8(vqmovn_s16(eight(x, &row, norm, c))));
  }
  for (int c = whole; c < norm->channels; c++) {
    out[c] = (uint8_t)clamp(one(x, &row, norm, c), -128, 127);
  }
}

void ivit_norm16_neon(const int16_t *x, const struct ivit_norm *norm, int16_t *out) {
  struct row row = row_of(x, norm);
  int whole = norm->channels / 8 * 8;
  for (int c = 0; c < whole; c += 8) {
    vst1q_s16(out + c, eight(x, &row, norm, c));
  }
  for (int c = whole; c < norm->channels; c++) {
    out[c] = (int16_t)clamp(one(x, &row, norm, c), INT16_MIN, INT16_MAX);
  }
}
