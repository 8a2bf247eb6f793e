/* Linear layers: tiles of a product, each followed by what its layer does with the accumulators. */
#include "model.h"

enum {
  ACCUMULATORS = IVIT_TILE_ROWS * IVIT_COLUMNS,
  ROOM = 256 * 1024 /* bytes of rows that all weights pass over: half a small second-level cache */
};

/* Rows in the form that tiles read; `high` is null where a layer has no outlier channels. */
struct left {
  const uint8_t *x;
  size_t ldx;
  const uint8_t *high;
  size_t ldh;
};

/* Outlier channels of rows, side by side. */
static void gather(
    const struct ivit_linear *l, const uint8_t *x, size_t ldx, int rows, uint8_t *to,
    size_t ldh) {
  for (int r = 0; r < rows; r++, x += ldx, to += ldh) {
    for (int i = 0; i < l->outliers; i++) {
      to[i] = x[l->outlier[i]];
    }
  }
}

static void arrange(
    const struct ivit_kernels *k, const uint8_t *x, size_t ldx, int rows, int n, uint8_t *to,
    size_t stride) {
  for (int r = 0; r < rows; r++) {
    k->arrange(x + (size_t)r * ldx, n, to + (size_t)r * stride);
  }
}

static struct left left_of(
    const struct ivit_kernels *k, const struct ivit_linear *l, const uint8_t *x, size_t ldx,
    int rows, struct ivit_scratch *s) {
  struct left left = {x, ldx, NULL, s->high_stride};
  if (l->outliers > 0) {
    gather(l, x, ldx, rows, s->high, s->high_stride);
    left.high = s->high;
  }
  if (k->arrange != NULL) {
    left.x = s->arranged;
    left.ldx = ivit_arranged_stride(k, l->inputs);
    arrange(k, x, ldx, rows, l->inputs, s->arranged, left.ldx);
  }
  if (k->arrange != NULL && l->outliers > 0) {
    left.high = s->arranged_high;
    left.ldh = ivit_arranged_stride(k, l->outliers);
    arrange(k, s->high, s->high_stride, rows, l->outliers, s->arranged_high, left.ldh);
  }
  return left;
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

/* Rows that are taken at once: whole tiles, two of them at least. */
static int group_of(const struct ivit_kernels *k, const struct ivit_linear *l, size_t ldx) {
  size_t stride = k->arrange == NULL ? ldx : ivit_arranged_stride(k, l->inputs);
  int tiles = (int)(ROOM / (stride * (size_t)k->rows));
  return (tiles < 2 ? 2 : tiles) * k->rows;
}

static void group_to8(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_gelu *gelu, struct ivit_scratch *s,
    uint8_t *const *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  struct left left = left_of(k, l, x, ldx, rows, s);
  int height = ivit_tile_height(k, rows);
  for (int panel = panels.from; panel < panels.to; panel++) {
    int n = columns_of(panel, l->outputs);
    for (int r = 0; r < rows; r += height) {
      int count = rows_of(height, r, rows);
      k->tile(
          row_of(left.x, left.ldx, r), left.ldx, row_of(left.high, left.ldh, r), left.ldh, count,
          &l->operand, panel, acc);
      k->to8(acc, count, &l->requant, gelu, panel * IVIT_COLUMNS, n, out + r);
    }
  }
}

void ivit_linear_to8(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_gelu *gelu, struct ivit_scratch *s,
    uint8_t *const *out) {
  int group = group_of(k, l, ldx);
  for (int r = 0; r < rows; r += group) {
    group_to8(
        k, l, panels, x + (size_t)r * ldx, ldx, rows_of(group, r, rows), gelu, s, out + r);
  }
}

static void group_add16(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_adder *adder, struct ivit_scratch *s,
    const int16_t *const *identity, int16_t *const *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  struct left left = left_of(k, l, x, ldx, rows, s);
  int height = ivit_tile_height(k, rows);
  for (int panel = panels.from; panel < panels.to; panel++) {
    int n = columns_of(panel, l->outputs);
    for (int r = 0; r < rows; r += height) {
      int count = rows_of(height, r, rows);
      k->tile(
          row_of(left.x, left.ldx, r), left.ldx, row_of(left.high, left.ldh, r), left.ldh, count,
          &l->operand, panel, acc);
      k->add16(
          acc, count, &l->requant, adder, panel * IVIT_COLUMNS, n, identity + r, out + r);
    }
  }
}

void ivit_linear_add16(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_adder *adder, struct ivit_scratch *s,
    const int16_t *const *identity, int16_t *const *out) {
  int group = group_of(k, l, ldx);
  for (int r = 0; r < rows; r += group) {
    group_add16(
        k, l, panels, x + (size_t)r * ldx, ldx, rows_of(group, r, rows), adder, s, identity + r,
        out + r);
  }
}

void ivit_linear_logits(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, struct ivit_scratch *s, int add, int32_t *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  struct left left = left_of(k, l, x, 0, 1, s);
  for (int panel = panels.from; panel < panels.to; panel++) {
    k->tile(left.x, 0, left.high, 0, 1, &l->operand, panel, acc);
    int n = columns_of(panel, l->outputs);
    for (int i = 0; i < n; i++) {
      int c = panel * IVIT_COLUMNS + i;
      int e = l->exact_shift[c];
      int64_t product = (int64_t)acc[i] * l->exact_multiplier[c] + ((int64_t)1 << (e - 1));
      out[c] = (int32_t)(product >> e) + (add ? out[c] : 0);
    }
  }
}
