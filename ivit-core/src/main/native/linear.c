/* Linear layers: tiles of a product, each followed by what its layer does with the accumulators. */
#include "model.h"

enum { ACCUMULATORS = IVIT_TILE_ROWS * IVIT_COLUMNS };

/* Outlier channels of rows, side by side; null where a layer has none. */
static const uint8_t *gather(
    const struct ivit_linear *l, const uint8_t *x, size_t ldx, int rows, struct ivit_scratch *s) {
  if (l->outliers == 0) {
    return NULL;
  }
  for (int r = 0; r < rows; r++) {
    const uint8_t *from = x + r * ldx;
    uint8_t *to = s->high + r * s->high_stride;
    for (int i = 0; i < l->outliers; i++) {
      to[i] = from[l->outlier[i]];
    }
  }
  return s->high;
}

static int columns_of(int panel, int outputs) {
  int left = outputs - panel * IVIT_COLUMNS;
  return left < IVIT_COLUMNS ? left : IVIT_COLUMNS;
}

static int rows_of(int height, int row, int rows) {
  return rows - row < height ? rows - row : height;
}

static const uint8_t *row_of(const uint8_t *rows, size_t stride, int row) {
  return rows == NULL ? NULL : rows + (size_t)row * stride;
}

void ivit_linear_to8(
    const struct ivit_kernels *k, const struct ivit_linear *l, const uint8_t *x, size_t ldx,
    int rows, const struct ivit_gelu *gelu, struct ivit_scratch *s, uint8_t *const *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  const uint8_t *high = gather(l, x, ldx, rows, s);
  int height = ivit_tile_height(k, rows);
  for (int panel = 0; panel < l->operand.main.panels; panel++) {
    int n = columns_of(panel, l->outputs);
    for (int r = 0; r < rows; r += height) {
      int count = rows_of(height, r, rows);
      k->tile(
          x + (size_t)r * ldx, ldx, row_of(high, s->high_stride, r), s->high_stride, count,
          &l->operand, panel, acc);
      k->to8(acc, count, &l->requant, gelu, panel * IVIT_COLUMNS, n, out + r);
    }
  }
}

void ivit_linear_add16(
    const struct ivit_kernels *k, const struct ivit_linear *l, const uint8_t *x, size_t ldx,
    int rows, const struct ivit_adder *adder, struct ivit_scratch *s,
    const int16_t *const *identity, int16_t *const *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  const uint8_t *high = gather(l, x, ldx, rows, s);
  int height = ivit_tile_height(k, rows);
  for (int panel = 0; panel < l->operand.main.panels; panel++) {
    int n = columns_of(panel, l->outputs);
    for (int r = 0; r < rows; r += height) {
      int count = rows_of(height, r, rows);
      k->tile(
          x + (size_t)r * ldx, ldx, row_of(high, s->high_stride, r), s->high_stride, count,
          &l->operand, panel, acc);
      k->add16(
          acc, count, &l->requant, adder, panel * IVIT_COLUMNS, n, identity + r, out + r);
    }
  }
}

void ivit_linear_logits(
    const struct ivit_kernels *k, const struct ivit_linear *l, const uint8_t *x,
    struct ivit_scratch *s, int add, int32_t *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  const uint8_t *high = gather(l, x, 0, 1, s);
  for (int panel = 0; panel < l->operand.main.panels; panel++) {
    k->tile(x, 0, high, 0, 1, &l->operand, panel, acc);
    int n = columns_of(panel, l->outputs);
    for (int i = 0; i < n; i++) {
      int c = panel * IVIT_COLUMNS + i;
      int e = l->exact_shift[c];
      int64_t product = (int64_t)acc[i] * l->exact_multiplier[c] + ((int64_t)1 << (e - 1));
      out[c] = (int32_t)(product >> e) + (add ? out[c] : 0);
    }
  }
}
