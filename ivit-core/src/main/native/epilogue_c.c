/* What follows a product, portable: requantization, clamp, GELU or residual. */
#include "requantize.h"

void ivit_to8_c(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out) {
  uint32_t outliers =
      gelu != NULL && gelu->outliers != NULL ? gelu->outliers[column / IVIT_COLUMNS] : 0;
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    uint8_t *to = out[r] + column;
    for (int c = 0; c < n; c++) {
      int32_t code = ivit_clamp(ivit_requantize(acc[c], q, column + c), -128, 127) + 128;
      if (gelu != NULL) {
        code = (outliers >> c & 1 ? gelu->outlier_table : gelu->table)[code];
      }
      to[c] = (uint8_t)code;
    }
  }
}

void ivit_add16_c(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out) {
  for (int r = 0; r < rows; r++, acc += IVIT_COLUMNS) {
    const int16_t *from = identity[r] + column;
    int16_t *to = out[r] + column;
    for (int c = 0; c < n; c++) {
      int32_t branch = ivit_clamp(ivit_requantize(acc[c], q, column + c), INT16_MIN, INT16_MAX);
      int32_t sum =
          ivit_dyadic_apply(branch, &adder->branch) + ivit_dyadic_apply(from[c], &adder->identity);
      to[c] = (int16_t)ivit_clamp(sum, INT16_MIN, INT16_MAX);
    }
  }
}
