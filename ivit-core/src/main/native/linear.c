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

/* Whether rows reach the tiles of a layer as they are. */
static int takes_rows(const struct ivit_kernels *k, const struct ivit_linear *l) {
  const struct ivit_decoding *decoding = l->operand.main.decoding;
  return k->arrange == NULL || (decoding != NULL && !decoding->arranged);
}

static struct left left_of(
    const struct ivit_kernels *k, const struct ivit_linear *l, const uint8_t *x, size_t ldx,
    int rows, struct ivit_scratch *s) {
  struct left left = {x, ldx, NULL, s->high_stride};
  if (l->outliers > 0) {
    gather(l, x, ldx, rows, s->high, s->high_stride);
    left.high = s->high;
  }
  if (!takes_rows(k, l)) {
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

/* A panel of weights, and the tile that reads it. */
struct right {
  struct ivit_operand w;
  ivit_tile *tile;
};

/* Weights that are kept as indices are decoded to `room`. */
static struct right right_of(
    const struct ivit_kernels *k, const struct ivit_linear *l, int panel, int8_t *room) {
  struct right right = {l->operand, k->tile};
  struct ivit_matrix *m = &right.w.main;
  if (m->decoding != NULL) {
    m->decoding->decode(&l->operand.main, panel, room);
    m->data = room;
    m->panel_size = 0;
    right.tile = m->decoding->tile;
  }
  return right;
}

/*
 * Asks for a part of the indices of a panel. A tile's time hides only as many lines as are on their way
 * at once: so each tile asks for some of the next panel, rather than one for all.
 */
static void fetch_indices(const struct ivit_linear *l, int panel, int part, int parts) {
  const struct ivit_matrix *m = &l->operand.main;
  if (m->decoding == NULL) {
    return;
  }
  const int8_t *packed = m->data + (size_t)panel * m->packed_size;
  size_t lines = m->packed_size / IVIT_ALIGN;
  size_t to = lines * (size_t)(part + 1) / (size_t)parts;
  for (size_t i = lines * (size_t)part / (size_t)parts; i < to; i++) {
    ivit_fetch_second(packed + i * IVIT_ALIGN);
  }
}

static int rows_of_tile(const struct ivit_kernels *k, const struct ivit_linear *l) {
  const struct ivit_decoding *decoding = l->operand.main.decoding;
  return decoding == NULL ? k->rows : decoding->rows;
}

static int least(int a, int b) {
  return a < b ? a : b;
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

/*
 * Rows that are taken at once: whole tiles, two of them at least. Weights that are decoded are so once
 * for all rows, which costs more than rows that come from further away.
 */
static int group_of(
    const struct ivit_kernels *k, const struct ivit_linear *l, size_t ldx, int rows) {
  if (l->operand.main.decoding != NULL) {
    return rows;
  }
  size_t stride = k->arrange == NULL ? ldx : ivit_arranged_stride(k, l->inputs);
  int tiles = (int)(ROOM / (stride * (size_t)k->rows));
  return (tiles < 2 ? 2 : tiles) * k->rows;
}

/*
 * What becomes of the accumulators: codes, by GELU or not, turned or gated, or a sum with the
 * identity.
 */
struct outcome {
  const struct ivit_gelu *gelu;
  uint8_t *const *codes; /* null where 16-bit codes are asked for */
  const struct ivit_rotation *rotation;
  const int *tokens; /* of the rows, where they are turned */
  const struct ivit_gating *gating;
  const struct ivit_linear *value; /* what is gated */
  int16_t *const *gated;           /* of 16 bits */
  const struct ivit_adder *adder;
  const int16_t *const *identity;
  int16_t *const *sums;
};

static void turn(
    const struct ivit_kernels *k, const struct ivit_linear *l, const struct outcome *o,
    const int32_t *acc, int row, int rows, int panel, int n) {
  const struct ivit_turns *turns = o->rotation->turns;
  size_t first = (size_t)turns->pattern[panel] * (size_t)turns->tokens;
  const int16_t *of_rows[IVIT_TILE_ROWS];
  for (int r = 0; r < rows; r++) {
    of_rows[r] = turns->table + (first + (size_t)o->tokens[row + r]) * 2 * IVIT_COLUMNS;
  }
  k->turn8(
      acc, rows, &l->requant, &o->rotation->requant, panel * IVIT_COLUMNS, n, of_rows,
      o->codes + row);
}

static void finish(
    const struct ivit_kernels *k, const struct ivit_linear *l, const struct outcome *o,
    const int32_t *acc, int row, int rows, int panel) {
  int n = columns_of(panel, l->outputs);
  int column = panel * IVIT_COLUMNS;
  if (o->rotation != NULL) {
    turn(k, l, o, acc, row, rows, panel, n);
  } else if (o->codes != NULL) {
    k->to8(acc, rows, &l->requant, o->gelu, column, n, o->codes + row);
  } else {
    k->add16(
        acc, rows, &l->requant, o->adder, column, n, o->identity + row, o->sums + row);
  }
}

static void multiply(
    const struct right *right, const struct left *left, int row, int rows, int panel,
    int32_t *acc) {
  right->tile(
      row_of(left->x, left->ldx, row), left->ldx, row_of(left->high, left->ldh, row), left->ldh,
      rows, &right->w, panel, acc);
}

/* Both products of a tile of a gated MLP, and the gating. */
static void gate(
    const struct ivit_kernels *k, const struct ivit_linear *l, const struct outcome *o,
    const struct right *rights, const struct left *lefts, struct ivit_scratch *s, int32_t *acc,
    int from, int row, int rows, int panel) {
  size_t stride = ivit_stride((size_t)l->outputs);
  uint8_t *gates[IVIT_TILE_ROWS], *values[IVIT_TILE_ROWS];
  for (int r = 0; r < rows; r++) {
    gates[r] = s->gate_codes + (size_t)r * stride;
    values[r] = s->value_codes + (size_t)r * stride;
  }
  int n = columns_of(panel, l->outputs);
  int column = panel * IVIT_COLUMNS;
  const struct ivit_linear *layers[] = {l, o->value};
  for (int i = 0; i < 2; i++) {
    multiply(&rights[i], &lefts[i], row, rows, panel, acc);
    k->to8(acc, rows, &layers[i]->requant, NULL, column, n, i == 0 ? gates : values);
  }
  const uint8_t *const *by = (const uint8_t *const *)gates;
  const uint8_t *const *of = (const uint8_t *const *)values;
  if (o->codes != NULL) {
    k->gate8(by, of, rows, o->gating, column, n, o->codes + from + row);
  } else {
    k->gate16(by, of, rows, o->gating, column, n, o->gated + from + row);
  }
}

/* One layer, or the two of a gated MLP, which have the same inputs. */
static void linear(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, struct ivit_scratch *s, const struct outcome *o) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  const struct ivit_linear *layers[] = {l, o->value};
  int count = o->gating == NULL ? 1 : 2;
  int most = group_of(k, l, ldx, rows), tall = rows_of_tile(k, l);
  for (int i = 1; i < count; i++) {
    most = least(most, group_of(k, layers[i], ldx, rows));
    tall = least(tall, rows_of_tile(k, layers[i]));
  }
  for (int from = 0; from < rows; from += most) {
    int group = rows_of(most, from, rows);
    struct left lefts[2];
    for (int i = 0; i < count; i++) {
      int again = i > 0 && takes_rows(k, l) == takes_rows(k, layers[i]);
      lefts[i] = again ? lefts[0] : left_of(k, layers[i], x + (size_t)from * ldx, ldx, group, s);
    }
    int height = ivit_tile_height(tall, group), tiles = (group + height - 1) / height;
    for (int panel = panels.from; panel < panels.to; panel++) {
      struct right rights[2];
      for (int i = 0; i < count; i++) {
        rights[i] = right_of(k, layers[i], panel, s->decoded[i]);
      }
      for (int r = 0; r < group; r += height) {
        int n = rows_of(height, r, group);
        for (int i = 0; i < count && panel + 1 < panels.to; i++) {
          fetch_indices(layers[i], panel + 1, r / height, tiles);
        }
        if (o->gating != NULL) {
          gate(k, l, o, rights, lefts, s, acc, from, r, n, panel);
        } else {
          multiply(&rights[0], &lefts[0], r, n, panel, acc);
          finish(k, l, o, acc, from + r, n, panel);
        }
      }
    }
  }
}

void ivit_linear_to8(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_gelu *gelu, struct ivit_scratch *s,
    uint8_t *const *out) {
  struct outcome outcome = {.gelu = gelu, .codes = out};
  linear(k, l, panels, x, ldx, rows, s, &outcome);
}

void ivit_linear_turn8(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_rotation *rotation,
    const int *tokens, struct ivit_scratch *s, uint8_t *const *out) {
  struct outcome outcome = {.rotation = rotation, .tokens = tokens, .codes = out};
  linear(k, l, panels, x, ldx, rows, s, &outcome);
}

void ivit_linear_gate8(
    const struct ivit_kernels *k, const struct ivit_linear *gate, const struct ivit_linear *value,
    struct ivit_span panels, const uint8_t *x, size_t ldx, int rows,
    const struct ivit_gating *gating, struct ivit_scratch *s, uint8_t *const *out) {
  struct outcome outcome = {.gating = gating, .value = value, .codes = out};
  linear(k, gate, panels, x, ldx, rows, s, &outcome);
}

void ivit_linear_gate16(
    const struct ivit_kernels *k, const struct ivit_linear *gate, const struct ivit_linear *value,
    struct ivit_span panels, const uint8_t *x, size_t ldx, int rows,
    const struct ivit_gating *gating, struct ivit_scratch *s, int16_t *const *out) {
  struct outcome outcome = {.gating = gating, .value = value, .gated = out};
  linear(k, gate, panels, x, ldx, rows, s, &outcome);
}

void ivit_linear_add16(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_adder *adder, struct ivit_scratch *s,
    const int16_t *const *identity, int16_t *const *out) {
  struct outcome outcome = {.adder = adder, .identity = identity, .sums = out};
  linear(k, l, panels, x, ldx, rows, s, &outcome);
}

void ivit_linear_logits(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, struct ivit_scratch *s, int add, int32_t *out) {
  _Alignas(IVIT_ALIGN) int32_t acc[ACCUMULATORS];
  struct left left = left_of(k, l, x, 0, 1, s);
  for (int panel = panels.from; panel < panels.to; panel++) {
    struct right right = right_of(k, l, panel, s->decoded[0]);
    multiply(&right, &left, 0, 1, panel, acc);
    int n = columns_of(panel, l->outputs);
    for (int i = 0; i < n; i++) {
      int c = panel * IVIT_COLUMNS + i;
      int e = l->exact_shift[c];
      int64_t product = (int64_t)acc[i] * l->exact_multiplier[c] + ((int64_t)1 << (e - 1));
      out[c] = (int32_t)(product >> e) + (add ? out[c] : 0);
    }
  }
}
