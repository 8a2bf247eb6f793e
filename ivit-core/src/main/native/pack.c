#include "pack.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

void ivit_matrix_columns(struct ivit_matrix *m, int columns) {
  m->columns = columns;
  m->panels = (columns + IVIT_COLUMNS - 1) / IVIT_COLUMNS;
}

size_t ivit_matrix_room(int columns, int depth) {
  size_t panels = (size_t)(columns + IVIT_COLUMNS - 1) / IVIT_COLUMNS;
  return panels * ivit_round_up((size_t)depth, 4 * IVIT_K_GROUP) * 2 * IVIT_COLUMNS;
}

int ivit_matrix_take(struct ivit_arena *arena, struct ivit_matrix *m, size_t bytes) {
  if (m->data == NULL || m->room < bytes) {
    m->data = ivit_arena_take(arena, bytes);
    m->room = bytes;
  }
  return m->data != NULL;
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

int8_t ivit_code_of(const struct ivit_indices *w, int inputs, int output, int input) {
  int index = ivit_index(w, inputs, output, input);
  if (w->table != NULL) {
    return w->table[((size_t)output << w->bits) + (size_t)index];
  }
  int q = index - (1 << (w->bits - 1));
  return (int8_t)((q * ivit_multiplier(w, inputs, output, input) + (1 << w->shift >> 1))
      >> w->shift);
}

/* All codes [outputs][inputs], which the caller frees; null where memory is short. */
static int8_t *all_decoded(const struct ivit_indices *w, int inputs, int outputs) {
  int8_t *codes = malloc((size_t)outputs * (size_t)inputs);
  if (codes != NULL) {
    int8_t *to = codes;
    for (int c = 0; c < outputs; c++) {
      for (int i = 0; i < inputs; i++) {
        *to++ = ivit_code_of(w, inputs, c, i);
      }
    }
  }
  return codes;
}

/* The weights of outlier channels, [outputs][outliers]. */
static void take_outliers(const struct ivit_linear *l, const int8_t *weight, int8_t *to) {
  for (int c = 0; c < l->outputs; c++, weight += l->inputs) {
    for (int i = 0; i < l->outliers; i++) {
      *to++ = weight[l->outlier[i]];
    }
  }
}

static void clear_outliers(const struct ivit_linear *l, int8_t *weight) {
  for (int c = 0; c < l->outputs; c++, weight += l->inputs) {
    for (int i = 0; i < l->outliers; i++) {
      weight[l->outlier[i]] = 0;
    }
  }
}

static int pack_outliers(
    const struct ivit_kernels *k, struct ivit_arena *arena, struct ivit_linear *l,
    const int8_t *weight) {
  if (l->outliers == 0) {
    return 1;
  }
  int8_t *high = malloc((size_t)l->outputs * (size_t)l->outliers);
  if (high == NULL) {
    return 0;
  }
  take_outliers(l, weight, high);
  int packed = k->pack(arena, &l->operand.high, high, l->outliers);
  free(high);
  return packed;
}

/* All others. */
static int pack_main(
    const struct ivit_kernels *k, struct ivit_arena *arena, struct ivit_linear *l,
    const int8_t *weight) {
  if (l->outliers == 0) {
    return k->pack(arena, &l->operand.main, weight, l->inputs);
  }
  size_t bytes = (size_t)l->outputs * (size_t)l->inputs;
  int8_t *main = malloc(bytes);
  if (main == NULL) {
    return 0;
  }
  memcpy(main, weight, bytes);
  clear_outliers(l, main);
  int packed = k->pack(arena, &l->operand.main, main, l->inputs);
  free(main);
  return packed;
}

static void set_bias(
    const struct ivit_kernels *k, struct ivit_linear *l, const int8_t *weight,
    const int32_t *bias) {
  for (int c = 0; c < l->outputs; c++) {
    const int8_t *row = weight + (size_t)c * (size_t)l->inputs;
    int32_t all = 0;
    int32_t set = 0;
    for (int i = 0; i < l->inputs; i++) {
      all += row[i];
    }
    for (int i = 0; i < l->outliers; i++) {
      set += row[l->outlier[i]];
    }
    uint32_t offset = k->zero * ((uint32_t)(all - set) + ((uint32_t)set << l->operand.shift));
    l->operand.bias[c] = (int32_t)((uint32_t)bias[c] - offset);
  }
}

int ivit_linear_pack(
    const struct ivit_kernels *k, struct ivit_arena *arena, struct ivit_linear *l,
    const int8_t *weight, const int32_t *bias) {
  set_bias(k, l, weight, bias);
  return pack_main(k, arena, l, weight) && pack_outliers(k, arena, l, weight);
}

static const struct ivit_decoding *decoding_of(
    const struct ivit_kernels *k, const struct ivit_indices *w) {
  if (w->table != NULL) {
    return w->bits < 6 ? k->tables : NULL;
  }
  return w->bits > 4 ? k->wide_groups : w->shift == 0 ? k->groups : NULL;
}

static int pack_indices(
    const struct ivit_kernels *k, struct ivit_arena *arena, struct ivit_linear *l,
    const struct ivit_indices *w, const int32_t *bias) {
  int8_t *weight = all_decoded(w, l->inputs, l->outputs);
  if (weight == NULL) {
    return 0;
  }
  struct ivit_matrix *main = &l->operand.main;
  const struct ivit_decoding *decoding = decoding_of(k, w);
  int packed;
  if (decoding == NULL) {
    packed = ivit_linear_pack(k, arena, l, weight, bias);
  } else {
    main->decoding = decoding;
    main->absent = l->outlier;
    main->absents = l->outliers;
    set_bias(k, l, weight, bias);
    packed = decoding->pack(arena, main, w, l->inputs) && pack_outliers(k, arena, l, weight);
  }
  free(weight);
  return packed;
}

/* Without weights; null where a multiplier is refused or memory is short. */
static struct ivit_linear *without_weights(struct ivit_arena *arena, const struct ivit_layer *of) {
  int outputs = of->outputs;
  struct ivit_linear *l = ivit_arena_take(arena, sizeof *l);
  if (l == NULL) {
    return NULL;
  }
  l->inputs = of->inputs;
  l->outputs = outputs;
  l->outliers = of->outliers;
  l->operand.shift = of->shift;
  ivit_matrix_columns(&l->operand.main, outputs);
  ivit_matrix_columns(&l->operand.high, outputs);
  l->operand.bias = take_columns(arena, outputs, sizeof(int32_t));
  l->outlier = ivit_arena_take(arena, (size_t)of->outliers * sizeof(int));
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  for (int i = 0; i < of->outliers; i++) {
    l->outlier[i] = of->outlier[i];
  }
  if (!of->logits) {
    return ivit_requant_set(arena, &l->requant, of->multiplier, of->exponent, outputs) ? l : NULL;
  }
  l->exact_multiplier = ivit_arena_take(arena, (size_t)outputs * sizeof(int32_t));
  l->exact_shift = ivit_arena_take(arena, (size_t)outputs);
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  memcpy(l->exact_multiplier, of->multiplier, (size_t)outputs * sizeof(int32_t));
  memcpy(l->exact_shift, of->exponent, (size_t)outputs);
  return l;
}

struct ivit_linear *ivit_linear_new(
    const struct ivit_kernels *k, struct ivit_arena *arena, const int8_t *weight,
    const struct ivit_layer *of) {
  struct ivit_linear *l = without_weights(arena, of);
  return l != NULL && ivit_linear_pack(k, arena, l, weight, of->bias) ? l : NULL;
}

struct ivit_linear *ivit_linear_of_indices(
    const struct ivit_kernels *k, struct ivit_arena *arena, const struct ivit_indices *w,
    const struct ivit_layer *of) {
  struct ivit_linear *l = without_weights(arena, of);
  return l != NULL && pack_indices(k, arena, l, w, of->bias) ? l : NULL;
}

struct ivit_norm *ivit_norm_new(
    struct ivit_arena *arena, const int32_t *multiplier, const int64_t *offset, int channels,
    int shift, uint64_t epsilon) {
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
  n->epsilon = epsilon;
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

/* What the code i - 128 is stored as. */
static uint8_t stored_index(int i, uint8_t zero) {
  return (uint8_t)(i - 128 + zero);
}

struct ivit_gelu *ivit_gelu_new(
    uint8_t zero, struct ivit_arena *arena, int by_row, const int8_t *table,
    const int8_t *outlier_table, const int32_t *outlier, int outliers, int channels) {
  struct ivit_gelu *g = ivit_arena_take(arena, sizeof *g);
  size_t size = by_row ? 256 * 256 : 256;
  uint8_t *stored = ivit_arena_take(arena, size);
  uint8_t *other = ivit_arena_take(arena, 256);
  size_t panels = ivit_round_up((size_t)channels, IVIT_COLUMNS) / IVIT_COLUMNS;
  uint32_t *bits = ivit_arena_take(arena, panels * sizeof(uint32_t));
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  for (int row = 0; row < (int)size / 256; row++) {
    const int8_t *from = table + 256 * row;
    uint8_t *to = by_row ? stored + 256 * stored_index(row, zero) : stored;
    for (int i = 0; i < 256; i++) {
      to[stored_index(i, zero)] = (uint8_t)(from[i] + zero);
    }
  }
  g->by_row = by_row;
  g->table = stored;
  if (outliers > 0) {
    for (int i = 0; i < 256; i++) {
      other[stored_index(i, zero)] = (uint8_t)(outlier_table[i] + zero);
    }
    for (int i = 0; i < outliers; i++) {
      bits[outlier[i] / IVIT_COLUMNS] |= (uint32_t)1 << outlier[i] % IVIT_COLUMNS;
    }
    g->outlier_table = other;
    g->outliers = bits;
  }
  return g;
}

/* The pattern of the panel from `column` on: turns of its pairs, none of those behind `turned`. */
static void set_pattern(
    int16_t *to, const int16_t *cos, const int16_t *sin, int tokens, int head_dim, int column,
    int turned) {
  for (int token = 0; token < tokens; token++, to += 2 * IVIT_COLUMNS) {
    int16_t *even = to, *odd = to + IVIT_COLUMNS;
    for (int c = 0; c < IVIT_COLUMNS; c += 2) {
      if (column + c < turned) {
        int at = token * head_dim + (column + c) % head_dim;
        even[c] = cos[at];
        even[c + 1] = sin[at];
        odd[c] = sin[at + 1];
        odd[c + 1] = cos[at + 1];
      } else {
        even[c] = odd[c + 1] = IVIT_TURN_ONE;
        even[c + 1] = odd[c] = 0;
      }
    }
  }
}

/* The first panel of the same pattern: of as many turned columns, from the same channel on. */
static int alike(int panel, int head_dim, int turned) {
  int column = panel * IVIT_COLUMNS;
  for (int other = 0; other < panel; other++) {
    int at = other * IVIT_COLUMNS;
    if (column >= turned ? at >= turned
                         : at % head_dim == column % head_dim && column + IVIT_COLUMNS <= turned) {
      return other;
    }
  }
  return panel;
}

struct ivit_turns *ivit_turns_new(
    struct ivit_arena *arena, const int16_t *cos, const int16_t *sin, int tokens, int heads,
    int head_dim) {
  struct ivit_turns *t = ivit_arena_take(arena, sizeof *t);
  int turned = 2 * heads * head_dim;
  int panels = (3 * heads * head_dim + IVIT_COLUMNS - 1) / IVIT_COLUMNS;
  int *pattern = ivit_arena_take(arena, (size_t)panels * sizeof *pattern);
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  int patterns = 0;
  for (int panel = 0; panel < panels; panel++) {
    int first = alike(panel, head_dim, turned);
    pattern[panel] = first < panel ? pattern[first] : patterns++;
  }
  size_t size = (size_t)tokens * 2 * IVIT_COLUMNS;
  t->tokens = tokens;
  t->pattern = pattern;
  t->table = ivit_arena_take(arena, (size_t)patterns * size * sizeof *t->table);
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  for (int panel = 0; panel < panels; panel++) {
    if (alike(panel, head_dim, turned) == panel) {
      int16_t *to = t->table + (size_t)pattern[panel] * size;
      set_pattern(to, cos, sin, tokens, head_dim, panel * IVIT_COLUMNS, turned);
    }
  }
  return t;
}

struct ivit_rotation *ivit_rotation_new(
    struct ivit_arena *arena, const struct ivit_turns *turns, int32_t multiplier, uint8_t shift) {
  struct ivit_rotation *r = ivit_arena_take(arena, sizeof *r);
  if (r == NULL) {
    return NULL;
  }
  r->turns = turns;
  return ivit_requant_set(arena, &r->requant, &multiplier, &shift, 1) ? r : NULL;
}

struct ivit_gating *ivit_gating_new(
    uint8_t zero, struct ivit_arena *arena, const int16_t *table, const int32_t *multiplier,
    const uint8_t *shift, int channels) {
  struct ivit_gating *g = ivit_arena_take(arena, sizeof *g);
  if (g == NULL) {
    return NULL;
  }
  for (int i = 0; i < 256; i++) {
    uint8_t at = stored_index(i, zero);
    g->table[at] = table[i];
    g->low[at] = (uint8_t)table[i];
    g->high[at] = (uint8_t)((uint16_t)table[i] >> 8);
  }
  return ivit_requant_set(arena, &g->product, multiplier, shift, channels) ? g : NULL;
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

/* The bias of a query of a column by a key, from a head's table; `row` is of a run. */
static int32_t grid_bias(
    const int32_t *table, int by, struct ivit_grid g, int column, int row, int key) {
  int rows = 2 * g.rows - 2 - row;
  int columns = column - key + g.columns - 1;
  return table[(size_t)(rows * (2 * g.columns - 1) + columns) * (size_t)by];
}

/* The runs of a head. */
static void set_biases(
    struct ivit_window *w, struct ivit_grid g, const int32_t *table, int heads, int head) {
  size_t at = IVIT_BIAS_SPARE + (size_t)head * w->of_head;
  table += head;
  for (int column = 0; column < g.columns; column++) {
    for (int row = 0; row < 2 * g.rows - 1; row++) {
      for (int key = 0; key < g.columns; key++, at++) {
        int32_t bias = grid_bias(table, heads, g, column, row, key);
        if (w->narrow) {
          w->bias16[at] = (int16_t)bias;
        } else {
          w->bias[at] = bias;
        }
      }
    }
  }
  if (g.leading > 0) {
    const int32_t *pairs =
        table + (size_t)((2 * g.rows - 1) * (2 * g.columns - 1)) * (size_t)heads;
    for (int key = 0; key < g.rows * g.columns; key++, at++) {
      if (w->narrow) {
        w->bias16[at] = (int16_t)pairs[0];
      } else {
        w->bias[at] = pairs[0];
      }
    }
    w->leading_bias[2 * head] = pairs[heads];
    w->leading_bias[2 * head + 1] = pairs[2 * heads];
  }
}

/* Where a query's run begins, less what a leading token takes before it. */
static void set_begins(struct ivit_window *w, struct ivit_grid g) {
  size_t column = (size_t)(2 * g.rows - 1) * (size_t)g.columns;
  size_t first = IVIT_BIAS_SPARE - (size_t)g.leading;
  for (int query = 0; query < g.rows * g.columns; query++) {
    size_t row = (size_t)(g.rows - 1 - query / g.columns) * (size_t)g.columns;
    w->begin[g.leading + query] = first + (size_t)(query % g.columns) * column + row;
  }
  if (g.leading > 0) {
    w->begin[0] = first + (size_t)g.columns * column;
  }
}

static int set_masks(
    struct ivit_window *w, struct ivit_arena *arena, const uint64_t *masks, int windows) {
  size_t length = (size_t)w->tokens * (size_t)w->words;
  for (int i = 0; i < windows; i++) {
    const uint64_t *mask = masks + (size_t)i * length;
    int any = 0;
    for (size_t j = 0; j < length; j++) {
      any |= mask[j] != 0;
    }
    if (any) {
      w->masks[i] = ivit_arena_take(arena, length * sizeof(uint64_t));
      if (w->masks[i] == NULL) {
        return 0;
      }
      memcpy(w->masks[i], mask, length * sizeof(uint64_t));
    }
  }
  return 1;
}

struct ivit_window *ivit_window_new(
    uint8_t zero, struct ivit_arena *arena, const int32_t *score, const int32_t *table, int heads,
    struct ivit_grid g, const uint64_t *masks, int windows) {
  struct ivit_window *w = ivit_arena_take(arena, sizeof *w);
  if (w == NULL) {
    return NULL;
  }
  int area = g.rows * g.columns;
  int pairs = (2 * g.rows - 1) * (2 * g.columns - 1);
  int positions = heads * (pairs + 3 * g.leading);
  w->tokens = g.leading + area;
  w->words = (w->tokens + 63) / 64;
  w->leading = g.leading;
  w->of_head = (size_t)(2 * g.rows - 1) * (size_t)g.columns * (size_t)g.columns
      + (size_t)(g.leading * area);
  w->narrow = 1;
  for (int i = 0; i < 256; i++) {
    uint8_t at = stored_index(i, zero);
    w->score[at] = score[i];
    w->score_low[at] = (uint8_t)score[i];
    w->score_high[at] = (uint8_t)((uint32_t)score[i] >> 8);
    w->narrow &= below(score[i], 1 << 14);
  }
  for (int i = 0; i < positions; i++) {
    w->narrow &= below(table[i], 1 << 14);
  }
  size_t all = (size_t)heads * w->of_head + 2 * IVIT_BIAS_SPARE;
  if (w->narrow) {
    w->bias16 = ivit_arena_take(arena, all * sizeof(int16_t));
  } else {
    w->bias = ivit_arena_take(arena, all * sizeof(int32_t));
  }
  w->begin = ivit_arena_take(arena, (size_t)w->tokens * sizeof(size_t));
  w->leading_bias = ivit_arena_take(arena, 2 * (size_t)heads * sizeof(int32_t));
  w->masks = ivit_arena_take(arena, (size_t)windows * sizeof(uint64_t *));
  if (!ivit_arena_whole(arena)) {
    return NULL;
  }
  set_begins(w, g);
  for (int head = 0; head < heads; head++) {
    set_biases(w, g, table, heads, head);
  }
  return set_masks(w, arena, masks, windows) ? w : NULL;
}
