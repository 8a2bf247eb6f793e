#include "product.h"

#include "ivit.h"
#include "pack.h"

#include <stdlib.h>
#include <string.h>

struct ivit_product {
  struct ivit_arena *arena;
  struct ivit_linear *linear;
  const struct ivit_kernels *kernels;
};

/* Without these instructions the float product is as fast. */
static const struct ivit_kernels *fast(void) {
  const char *reason = NULL;
  for (int i = 0; ivit_kernels_names[i] != NULL; i++) {
    const struct ivit_kernels *k = ivit_kernels_find(ivit_kernels_names[i], &reason);
    if (k != NULL) {
      return k == &ivit_kernels_c ? NULL : k;
    }
  }
  return NULL;
}

struct ivit_product *ivit_product_new(
    int inputs, int outputs, const int32_t *outlier, int outliers, int shift) {
  const struct ivit_kernels *k = fast();
  struct ivit_product *p = k == NULL ? NULL : calloc(1, sizeof *p);
  int8_t *weight = calloc((size_t)inputs * (size_t)outputs, 1);
  int32_t *zeros = calloc((size_t)outputs, sizeof *zeros);
  if (p != NULL && weight != NULL && zeros != NULL) {
    p->kernels = k;
    p->arena = ivit_arena_new();
    if (p->arena != NULL) {
      struct ivit_layer layer = {
          inputs, outputs, zeros, outlier, outliers, shift, zeros, (const uint8_t *)zeros, 1};
      p->linear = ivit_linear_new(k, p->arena, weight, &layer);
    }
  }
  free(zeros);
  free(weight);
  if (p != NULL && p->linear == NULL) {
    ivit_product_free(p);
    p = NULL;
  }
  return p;
}

void ivit_product_free(struct ivit_product *p) {
  if (p != NULL) {
    ivit_arena_free(p->arena);
    free(p);
  }
}

int ivit_product_load(struct ivit_product *p, const int8_t *weight, const int32_t *bias) {
  return ivit_linear_pack(p->kernels, p->arena, p->linear, weight, bias);
}

/* A tile may read as many rows as it has, and whole vectors. */
static size_t rows_of(size_t stride, int rows) {
  return stride * ((size_t)rows + IVIT_TILE_ROWS) + IVIT_ALIGN;
}

/* Bytes from one row of n codes to the next, as tiles read them. */
static size_t stride_of(const struct ivit_kernels *k, int n) {
  return ivit_stride((size_t)k->planes * ivit_round_up((size_t)n, IVIT_ALIGN));
}

/* A row of codes as they are stored, before it is arranged. */
static size_t row_size(int n) {
  return ivit_round_up((size_t)n, IVIT_ALIGN) + IVIT_ALIGN;
}

size_t ivit_product_scratch(const struct ivit_product *p, int rows) {
  const struct ivit_linear *l = p->linear;
  return rows_of(stride_of(p->kernels, l->inputs), rows)
      + rows_of(stride_of(p->kernels, l->outliers), rows) + row_size(l->inputs)
      + row_size(l->outliers);
}

static void arrange(const struct ivit_kernels *k, const uint8_t *row, int n, uint8_t *out) {
  if (k->arrange == NULL) {
    memcpy(out, row, (size_t)n);
  } else {
    k->arrange(row, n, out);
  }
}

/* Rows as tiles read them; `row` is for one row of codes and one of outlier channels. */
static void store_codes(
    const struct ivit_kernels *k, const struct ivit_linear *l, const int8_t *x, int rows,
    uint8_t *main, size_t stride, uint8_t *high, size_t high_stride, uint8_t *row) {
  uint8_t *apart = row + row_size(l->inputs);
  for (int r = 0; r < rows; r++, x += l->inputs, main += stride, high += high_stride) {
    for (int i = 0; i < l->inputs; i++) {
      row[i] = (uint8_t)(x[i] + k->zero);
    }
    arrange(k, row, l->inputs, main);
    if (l->outliers > 0) {
      for (int i = 0; i < l->outliers; i++) {
        apart[i] = row[l->outlier[i]];
      }
      arrange(k, apart, l->outliers, high);
    }
  }
}

void ivit_product_run(
    const struct ivit_product *p, const struct ivit_training_kernels *k, const int8_t *x, int rows,
    const struct ivit_dyadics *d, struct ivit_extremes seen, uint8_t *scratch, int wide,
    void *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[IVIT_TILE_ROWS * IVIT_COLUMNS];
  const struct ivit_linear *l = p->linear;
  size_t stride = stride_of(p->kernels, l->inputs);
  size_t high_stride = stride_of(p->kernels, l->outliers);
  uint8_t *high = scratch + rows_of(stride, rows);
  uint8_t *row = high + rows_of(high_stride, rows);
  store_codes(p->kernels, l, x, rows, scratch, stride, high, high_stride, row);
  int height = p->kernels->rows;
  if (p->kernels->enter != NULL) {
    p->kernels->enter();
  }
  for (int panel = 0; panel < l->operand.main.panels; panel++) {
    int column = panel * IVIT_COLUMNS;
    int n = l->outputs - column < IVIT_COLUMNS ? l->outputs - column : IVIT_COLUMNS;
    struct ivit_dyadics dyadics = {d->multiplier + column, d->half + column, d->shift + column};
    struct ivit_extremes extremes = {NULL, NULL};
    if (seen.min != NULL) {
      extremes.min = seen.min + column;
      extremes.max = seen.max + column;
    }
    for (int r = 0; r < rows; r += height) {
      int count = rows - r < height ? rows - r : height;
      p->kernels->tile(
          scratch + (size_t)r * stride, stride, high + (size_t)r * high_stride, high_stride, count,
          &l->operand, panel, acc);
      size_t at = (size_t)r * (size_t)l->outputs + (size_t)column;
      if (wide) {
        k->tile_to16(
            acc, IVIT_COLUMNS, count, n, &dyadics, extremes, (int16_t *)out + at, l->outputs);
      } else {
        k->tile_to8(
            acc, IVIT_COLUMNS, count, n, &dyadics, extremes, (int8_t *)out + at, l->outputs);
      }
    }
  }
  if (p->kernels->leave != NULL) {
    p->kernels->leave();
  }
}
