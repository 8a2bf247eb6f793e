#include "pack.h"

#include <string.h>

void ivit_matrix_shape(struct ivit_matrix *m, int columns, int depth) {
  m->columns = columns;
  m->panels = (columns + IVIT_COLUMNS - 1) / IVIT_COLUMNS;
  m->groups = (depth + 3) / 4;
  m->panel_size = ivit_round_up((size_t)m->groups, IVIT_K_GROUP) * 4 * IVIT_COLUMNS;
}

/* The first code of a column; code k lies k / 4 * 128 + k % 4 further on. */
static int8_t *column_of(const struct ivit_matrix *m, int column) {
  return m->data + (size_t)(column / IVIT_COLUMNS) * m->panel_size
      + (size_t)(column % IVIT_COLUMNS) * 4;
}

static void *take_columns(struct ivit_arena *arena, int columns, size_t size) {
  return ivit_arena_take(arena, ivit_round_up((size_t)columns, IVIT_COLUMNS) * size);
}

/* Doubling m and raising e by one changes no result, so m can always have its 31 bits. */
static void canonical(int32_t *m, int *e) {
  while (*m < 1 << 30 && *e < 62) {
    *m *= 2;
    ++*e;
  }
}

int ivit_requant_set(
    struct ivit_arena *arena, struct ivit_requant *q, const int32_t *multiplier,
    const uint8_t *shift, int columns) {
  q->prescaled = 0;
  q->multiplier = take_columns(arena, columns, sizeof(int32_t));
  q->limit = take_columns(arena, columns, sizeof(int32_t));
  q->prescale = take_columns(arena, columns, sizeof(int32_t));
  q->half = take_columns(arena, columns, sizeof(int32_t));
  q->shift = take_columns(arena, columns, sizeof(int32_t));
  if (!ivit_arena_whole(arena)) {
    return 0;
  }
  for (int c = 0; c < columns; c++) {
    int32_t m = multiplier[c];
    int e = shift[c];
    canonical(&m, &e);
    if (e < IVIT_LEAST_SHIFT) {
      return 0;
    }
    int prescale = e < 33 ? 33 - e : 0;
    q->prescaled |= prescale > 0;
    q->multiplier[c] = m;
    q->limit[c] = INT32_MAX >> prescale;
    q->prescale[c] = prescale;
    q->shift[c] = e + prescale - 32;
    q->half[c] = 1 << (q->shift[c] - 1);
  }
  return 1;
}

int ivit_dyadic_set(struct ivit_dyadic *d, int32_t multiplier, int shift) {
  canonical(&multiplier, &shift);
  if (shift < IVIT_LEAST_CODE_SHIFT) {
    return 0;
  }
  d->multiplier = multiplier;
  d->prescale = shift < 33 ? 33 - shift : 0;
  d->shift = shift + d->prescale - 32;
  d->half = 1 << (d->shift - 1);
  return 1;
}

void ivit_linear_pack(struct ivit_linear *l, const int8_t *weight, const int32_t *bias) {
  int whole = l->inputs / 4;
  for (int c = 0; c < l->outputs; c++) {
    const int8_t *row = weight + (size_t)c * l->inputs;
    int8_t *main = column_of(&l->operand.main, c);
    int8_t *high = column_of(&l->operand.high, c);
    int32_t rest = 0;
    int32_t set = 0;
    for (int k = 0; k < l->inputs; k++) {
      rest += l->is_outlier[k] ? 0 : row[k];
    }
    for (int g = 0; g < whole; g++) {
      memcpy(main + (size_t)g * 4 * IVIT_COLUMNS, row + 4 * g, 4);
    }
    for (int k = 4 * whole; k < l->inputs; k++) {
      main[(size_t)whole * 4 * IVIT_COLUMNS + k % 4] = row[k];
    }
    for (int i = 0; i < l->outliers; i++) {
      int k = l->outlier[i];
      main[(size_t)(k / 4) * 4 * IVIT_COLUMNS + k % 4] = 0;
    }
    for (int i = 0; i < l->outliers; i++) {
      high[i / 4 * 4 * IVIT_COLUMNS + i % 4] = row[l->outlier[i]];
      set += row[l->outlier[i]];
    }
    uint32_t offset = 128 * ((uint32_t)rest + ((uint32_t)set << l->operand.shift));
    l->operand.bias[c] = (int32_t)((uint32_t)bias[c] - offset);
  }
}

struct ivit_linear *ivit_linear_new(
    struct ivit_arena *arena, const int8_t *weight, int inputs, int outputs, const int32_t *bias,
    const int32_t *outlier, int outliers, int shift, const int32_t *multiplier,
    const uint8_t *exponent, int logits) {
  struct ivit_linear *l = ivit_arena_take(arena, sizeof *l);
  if (l == NULL) {
    return NULL;
  }
  l->is_outlier = ivit_arena_take(arena, (size_t)inputs);
  l->inputs = inputs;
  l->outputs = outputs;
  l->outliers = outliers;
  l->operand.shift = shift;
  ivit_matrix_shape(&l->operand.main, outputs, inputs);
  ivit_matrix_shape(&l->operand.high, outputs, outliers);
  struct ivit_matrix *main = &l->operand.main;
  struct ivit_matrix *high = &l->operand.high;
  main->data = ivit_arena_take(arena, main->panel_size * (size_t)main->panels);
  high->data = ivit_arena_take(arena, high->panel_size * (size_t)high->panels);
  l->operand.bias = take_columns(arena, outputs, sizeof(int32_t));
  l->outlier = ivit_arena_take(arena, (size_t)outliers * sizeof(int));
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  for (int i = 0; i < outliers; i++) {
    l->outlier[i] = outlier[i];
    l->is_outlier[outlier[i]] = 1;
  }
  ivit_linear_pack(l, weight, bias);
  if (!logits) {
    return ivit_requant_set(arena, &l->requant, multiplier, exponent, outputs) ? l : NULL;
  }
  l->exact_multiplier = ivit_arena_take(arena, (size_t)outputs * sizeof(int32_t));
  l->exact_shift = ivit_arena_take(arena, (size_t)outputs);
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  memcpy(l->exact_multiplier, multiplier, (size_t)outputs * sizeof(int32_t));
  memcpy(l->exact_shift, exponent, (size_t)outputs);
  return l;
}

struct ivit_norm *ivit_norm_new(
    struct ivit_arena *arena, const int32_t *multiplier, const int64_t *offset, int channels,
    int shift) {
  struct ivit_norm *n = ivit_arena_take(arena, sizeof *n);
  size_t wide = ivit_round_up((size_t)channels, 16) * sizeof(int64_t);
  int32_t *m = take_columns(arena, channels, sizeof(int32_t));
  int64_t *all = ivit_arena_take(arena, wide);
  int64_t *even = ivit_arena_take(arena, wide / 2);
  int64_t *odd = ivit_arena_take(arena, wide / 2);
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  n->channels = channels;
  n->shift = shift;
  n->multiplier = m;
  n->offset = all;
  n->offset_even = even;
  n->offset_odd = odd;
  for (int c = 0; c < channels; c++) {
    m[c] = multiplier[c];
    all[c] = offset[c] + ((int64_t)1 << (shift - 1));
    (c % 2 == 0 ? even : odd)[c / 2] = all[c];
  }
  return n;
}

struct ivit_gelu *ivit_gelu_new(
    struct ivit_arena *arena, int by_row, const int8_t *table, const int8_t *outlier_table,
    const int32_t *outlier, int outliers, int channels) {
  struct ivit_gelu *g = ivit_arena_take(arena, sizeof *g);
  size_t size = by_row ? 256 * 256 : 256;
  uint8_t *offset = ivit_arena_take(arena, size);
  uint8_t *other = ivit_arena_take(arena, 256);
  size_t panels = ivit_round_up((size_t)channels, IVIT_COLUMNS) / IVIT_COLUMNS;
  uint32_t *bits = ivit_arena_take(arena, panels * sizeof(uint32_t));
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  for (size_t i = 0; i < size; i++) {
    offset[i] = (uint8_t)(table[i] + 128);
  }
  g->by_row = by_row;
  g->table = offset;
  if (outliers > 0) {
    for (int i = 0; i < 256; i++) {
      other[i] = (uint8_t)(outlier_table[i] + 128);
    }
    for (int i = 0; i < outliers; i++) {
      bits[outlier[i] / IVIT_COLUMNS] |= (uint32_t)1 << outlier[i] % IVIT_COLUMNS;
    }
    g->outlier_table = other;
    g->outliers = bits;
  }
  return g;
}

void ivit_softmax_set(
    struct ivit_softmax *softmax, const int32_t *exponentials, int32_t rounding, int bits,
    int deferred) {
  softmax->bits = bits;
  softmax->deferred = deferred;
  softmax->rounding = (uint32_t)rounding;
  /* The sum is at least E[0], so from 2^15 on the factor has 16 bits. */
  softmax->narrow = exponentials[0] >= 1 << 15 && exponentials[0] < 1 << 16;
  for (int d = 0; d < 257; d++) {
    softmax->exponentials[d] = (uint32_t)exponentials[d];
  }
  for (int d = 0; d < 256; d++) {
    softmax->low[d] = (uint8_t)exponentials[d];
    softmax->high[d] = (uint8_t)(exponentials[d] >> 8);
  }
}

static int below(int32_t v, int32_t limit) {
  return v > -limit && v < limit;
}

struct ivit_window *ivit_window_new(
    struct ivit_arena *arena, const int32_t *score, const int32_t *bias, int heads, int tokens,
    const uint64_t *masks, int windows) {
  struct ivit_window *w = ivit_arena_take(arena, sizeof *w);
  size_t row = ivit_round_up((size_t)tokens, 64);
  size_t rows = (size_t)heads * (size_t)tokens;
  int32_t *wide = ivit_arena_take(arena, rows * row * sizeof(int32_t));
  int16_t *narrow = ivit_arena_take(arena, rows * row * sizeof(int16_t));
  uint64_t **of_window = ivit_arena_take(arena, (size_t)windows * sizeof(uint64_t *));
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  w->tokens = tokens;
  w->words = (int)(row / 64);
  w->row = (int)row;
  w->narrow = 1;
  w->bias = wide;
  w->bias16 = narrow;
  w->masks = of_window;
  for (int i = 0; i < 256; i++) {
    w->score[i] = score[i];
    w->score_low[i] = (uint8_t)score[i];
    w->score_high[i] = (uint8_t)((uint32_t)score[i] >> 8);
    w->narrow &= below(score[i], 1 << 14);
  }
  for (size_t r = 0; r < rows; r++) {
    for (int t = 0; t < tokens; t++) {
      int32_t b = bias[r * (size_t)tokens + (size_t)t];
      wide[r * row + (size_t)t] = b;
      narrow[r * row + (size_t)t] = (int16_t)b;
      w->narrow &= below(b, 1 << 14);
    }
  }
  size_t length = (size_t)tokens * (size_t)w->words;
  for (int i = 0; i < windows; i++) {
    const uint64_t *mask = masks + (size_t)i * length;
    int any = 0;
    for (size_t j = 0; j < length; j++) {
      any |= mask[j] != 0;
    }
    if (any) {
      of_window[i] = ivit_arena_take(arena, length * sizeof(uint64_t));
      if (of_window[i] == NULL) {
        return NULL;
      }
      memcpy(of_window[i], mask, length * sizeof(uint64_t));
    }
  }
  return w;
}
