/* Gated values, portable. */
#include "requantize.h"

static int32_t gated(
    const uint8_t *gate, const uint8_t *value, const struct ivit_gating *g, int c, int32_t least,
    int32_t most) {
  int32_t product = g->table[gate[c]] * (value[c] - 128);
  return ivit_clamp(ivit_requantize(product, &g->product, c), least, most);
}

void ivit_gate8_c(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *out) {
  for (int r = 0; r < rows; r++) {
    for (int c = column; c < column + n; c++) {
      out[r][c] = (uint8_t)(gated(gates[r], values[r], g, c, -128, 127) + 128);
    }
  }
}

void ivit_gate16_c(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out) {
  for (int r = 0; r < rows; r++) {
    for (int c = column; c < column + n; c++) {
      out[r][c] = (int16_t)gated(gates[r], values[r], g, c, INT16_MIN, INT16_MAX);
    }
  }
}
