/* Portable tile of a product. */
#include "ivit.h"

#include <string.h>

static void accumulate(const uint8_t *x, const struct ivit_matrix *w, int panel, uint32_t *acc) {
  const int8_t *weights = w->data + panel * w->panel_size;
  for (int g = 0; g < w->groups; g++, x += 4, weights += 4 * IVIT_COLUMNS) {
    int x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    for (int c = 0; c < IVIT_COLUMNS; c++) {
      const int8_t *v = weights + 4 * c;
      acc[c] += (uint32_t)(x0 * v[0] + x1 * v[1] + x2 * v[2] + x3 * v[3]);
    }
  }
}

void ivit_tile_c(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc) {
  const int32_t *bias = w->bias + panel * IVIT_COLUMNS;
  for (int r = 0; r < rows; r++) {
    uint32_t sums[IVIT_COLUMNS] = {0};
    if (w->high.groups > 0) {
      accumulate(high + r * ldh, &w->high, panel, sums);
    }
    for (int c = 0; c < IVIT_COLUMNS; c++) {
      sums[c] = (sums[c] << w->shift) + (uint32_t)bias[c];
    }
    accumulate(x + r * ldx, &w->main, panel, sums);
    memcpy(acc + r * IVIT_COLUMNS, sums, sizeof sums);
  }
}
