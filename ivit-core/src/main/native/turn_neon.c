/* Queries, keys and values turned by rotary positions, on NEON. */
#include "neon.h"
#include "requantize_neon.h"

#include <string.h>

/* Sums of neighbouring products. */
static inline int32x4_t pairs_of(int16x8_t words, int16x8_t by) {
  return vpaddq_s32(
      vmull_s16(vget_low_s16(words), vget_low_s16(by)), vmull_high_s16(words, by));
}

/* Eight columns, clamped to 16 bits. */
static inline __attribute__((always_inline)) int16x8_t turned_words(
    int16x8_t words, const int16_t *turns, const struct ivit_multipliers_neon *all,
    const int prescaled) {
  int32x4_t even = pairs_of(words, vld1q_s16(turns));
  int32x4_t odd = pairs_of(words, vld1q_s16(turns + IVIT_COLUMNS));
  int16x4_t evens = vqmovn_s32(ivit_requantize_neon(even, all, prescaled));
  int16x4_t odds = vqmovn_s32(ivit_requantize_neon(odd, all, prescaled));
  return vcombine_s16(vzip1_s16(evens, odds), vzip2_s16(evens, odds));
}

/* Rows of 32 columns to out[row] + at. */
static inline __attribute__((always_inline)) void to_codes(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, const int16_t *const *turns, uint8_t *const *out, int at, const int prescaled) {
  struct ivit_multipliers_neon all = ivit_first_multiplier_neon(turned);
  for (int c = 0; c < IVIT_COLUMNS; c += 8) {
    struct ivit_multipliers_neon a = ivit_multipliers_neon(q, column + c, prescaled);
    struct ivit_multipliers_neon b = ivit_multipliers_neon(q, column + c + 4, prescaled);
    for (int r = 0; r < rows; r++) {
      const int32_t *z = acc + r * IVIT_COLUMNS + c;
      int16x8_t words = ivit_words_neon(
          ivit_requantize_neon(vld1q_s32(z), &a, prescaled),
          ivit_requantize_neon(vld1q_s32(z + 4), &b, prescaled));
      words = turned_words(words, turns[r] + c, &all, prescaled);
      vst1_u8(out[r] + at + c, vreinterpret_u8_s8(vqmovn_s16(words)));
    }
  }
}

static void turn8(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, const int16_t *const *turns, uint8_t *const *out, int at) {
  if (q->prescaled || turned->prescaled) {
    to_codes(acc, rows, q, turned, column, turns, out, at, 1);
  } else {
    to_codes(acc, rows, q, turned, column, turns, out, at, 0);
  }
}

void ivit_turn8_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out) {
  if (n == IVIT_COLUMNS) {
    turn8(acc, rows, q, turned, column, turns, out, column);
    return;
  }
  uint8_t whole[IVIT_TILE_ROWS][IVIT_COLUMNS];
  uint8_t *row[IVIT_TILE_ROWS];
  for (int r = 0; r < IVIT_TILE_ROWS; r++) {
    row[r] = whole[r];
  }
  turn8(acc, rows, q, turned, column, turns, row, 0);
  for (int r = 0; r < rows; r++) {
    memcpy(out[r] + column, whole[r], (size_t)n);
  }
}
