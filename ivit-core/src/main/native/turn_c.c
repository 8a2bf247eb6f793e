/* Queries, keys and values turned by rotary positions, portable. */
#include "requantize.h"

static int32_t turned(const int32_t *pair, const int16_t *by) {
  return pair[0] * by[0] + pair[1] * by[1];
}

void ivit_turn8_c(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned_q,
    int column, int n, const int16_t *const *turns, uint8_t *const *out) {
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    const int16_t *even = turns[r], *odd = even + IVIT_COLUMNS;
    uint8_t *to = out[r] + column;
    for (int c = 0; c < n; c += 2) {
      int32_t pair[2];
      for (int i = 0; i < 2; i++) {
        pair[i] =
            ivit_clamp(ivit_requantize(acc[c + i], q, column + c + i), INT16_MIN, INT16_MAX);
      }
      for (int i = 0; i < 2; i++) {
        int32_t z = turned(pair, (i == 0 ? even : odd) + c);
        to[c + i] = (uint8_t)(ivit_clamp(ivit_requantize(z, turned_q, 0), -128, 127) + 128);
      }
    }
  }
}
