/* Gated values on NEON. */
#include "neon.h"
#include "requantize_neon.h"

#include <string.h>

/* Entries of a table of 256 bytes, in registers for all rows, by the gates of 32 columns. */
static void look_up(
    const uint8_t *table, const uint8_t *const *gates, int rows, int column,
    uint8_t (*out)[IVIT_COLUMNS]) {
  struct ivit_table_neon t = ivit_table_neon_load(table);
  for (int r = 0; r < rows; r++) {
    const uint8_t *from = gates[r] + column;
    vst1q_u8(out[r], ivit_look_up_neon(&t, vld1q_u8(from)));
    vst1q_u8(out[r] + 16, ivit_look_up_neon(&t, vld1q_u8(from + 16)));
  }
}

/* Eight entries times values, requantized and clamped to 16 bits. */
static inline __attribute__((always_inline)) int16x8_t eight(
    int16x8_t table, int8x8_t values, const struct ivit_multipliers_neon *m, const int prescaled) {
  int16x8_t words = vmovl_s8(values);
  int32x4_t low = vmull_s16(vget_low_s16(table), vget_low_s16(words));
  int32x4_t high = vmull_high_s16(table, words);
  return ivit_words_neon(
      ivit_requantize_neon(low, &m[0], prescaled), ivit_requantize_neon(high, &m[1], prescaled));
}

/* Rows of 32 columns. */
static inline __attribute__((always_inline)) void gated(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int16_t (*out)[IVIT_COLUMNS], const int prescaled) {
  uint8_t low[IVIT_TILE_ROWS][IVIT_COLUMNS], high[IVIT_TILE_ROWS][IVIT_COLUMNS];
  look_up(g->low, gates, rows, column, low);
  look_up(g->high, gates, rows, column, high);
  for (int c = 0; c < IVIT_COLUMNS; c += 16) {
    struct ivit_multipliers_neon m[4];
    for (int i = 0; i < 4; i++) {
      m[i] = ivit_multipliers_neon(&g->product, column + c + 4 * i, prescaled);
    }
    for (int r = 0; r < rows; r++) {
      uint8x16_t a = vld1q_u8(low[r] + c), b = vld1q_u8(high[r] + c);
      int8x16_t value = vreinterpretq_s8_u8(vld1q_u8(values[r] + column + c));
      int16x8_t first = vreinterpretq_s16_u8(vzip1q_u8(a, b));
      int16x8_t second = vreinterpretq_s16_u8(vzip2q_u8(a, b));
      vst1q_s16(out[r] + c, eight(first, vget_low_s8(value), m, prescaled));
      vst1q_s16(out[r] + c + 8, eight(second, vget_high_s8(value), m + 2, prescaled));
    }
  }
}

static void words_of(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int16_t (*out)[IVIT_COLUMNS]) {
  if (g->product.prescaled) {
    gated(gates, values, rows, g, column, out, 1);
  } else {
    gated(gates, values, rows, g, column, out, 0);
  }
}

void ivit_gate8_neon(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *out) {
  int16_t words[IVIT_TILE_ROWS][IVIT_COLUMNS];
  words_of(gates, values, rows, g, column, words);
  for (int r = 0; r < rows; r++) {
    int8_t codes[IVIT_COLUMNS];
    for (int c = 0; c < IVIT_COLUMNS; c += 16) {
      vst1q_s8(
          codes + c,
          vqmovn_high_s16(vqmovn_s16(vld1q_s16(words[r] + c)), vld1q_s16(words[r] + c + 8)));
    }
    memcpy(out[r] + column, codes, (size_t)n);
  }
}

void ivit_gate16_neon(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out) {
  int16_t words[IVIT_TILE_ROWS][IVIT_COLUMNS];
  words_of(gates, values, rows, g, column, words);
  for (int r = 0; r < rows; r++) {
    memcpy(out[r] + column, words[r], (size_t)n * sizeof(int16_t));
  }
}
