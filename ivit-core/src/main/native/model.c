/* Steps around the blocks, from embedding to head; and the memory of pictures and threads. */
#include "model.h"
#include "pack.h"

#include <stdlib.h>
#include <string.h>

struct ivit_model *ivit_model_new(
    const struct ivit_kernels *kernels, int height, int width, int patch) {
  struct ivit_arena *arena = ivit_arena_new();
  if (arena == NULL) {
    return NULL;
  }
  struct ivit_model *m = ivit_arena_take(arena, sizeof *m);
  if (m == NULL) {
    ivit_arena_free(arena);
    return NULL;
  }
  m->arena = arena;
  m->kernels = kernels;
  m->height = height;
  m->width = width;
  m->patch = patch;
  return m;
}

void ivit_model_free(struct ivit_model *m) {
  if (m != NULL) {
    ivit_arena_free(m->arena);
  }
}

struct ivit_step *ivit_model_add_step(
    struct ivit_model *m, enum ivit_step_kind kind, int rows, int dim) {
  if (m->steps == m->step_capacity) {
    int capacity = m->step_capacity == 0 ? 16 : 2 * m->step_capacity;
    struct ivit_step *steps = ivit_arena_take(m->arena, (size_t)capacity * sizeof *steps);
    if (steps == NULL) {
      return NULL;
    }
    if (m->steps > 0) {
      memcpy(steps, m->step, (size_t)m->steps * sizeof *steps);
    }
    m->step = steps;
    m->step_capacity = capacity;
  }
  struct ivit_step *step = &m->step[m->steps++];
  step->kind = kind;
  step->rows = rows;
  step->dim = dim;
  return step;
}

/* Rows of a buffer that a tile may read beyond the last one. */
static size_t with_slack(size_t bytes, size_t stride) {
  return bytes + IVIT_TILE_ROWS * stride;
}

struct ivit_picture *ivit_picture_new(const struct ivit_model *m) {
  struct ivit_arena *arena = ivit_arena_new();
  if (arena == NULL) {
    return NULL;
  }
  struct ivit_picture *p = ivit_arena_take(arena, sizeof *p);
  if (p == NULL) {
    ivit_arena_free(arena);
    return NULL;
  }
  p->arena = arena;
  size_t widest = ivit_stride(3 * (size_t)m->most_dim);
  p->codes = ivit_arena_take(arena, 3 * (size_t)m->height * (size_t)m->width);
  p->logits = ivit_arena_take(arena, (size_t)m->classes * sizeof(int32_t));
  p->context = ivit_arena_take(arena, with_slack(m->most_context, widest));
  p->expanded = ivit_arena_take(
      arena, with_slack(m->most_expanded, ivit_stride((size_t)m->most_hidden)));
  for (int i = 0; i < 2; i++) {
    p->tokens[i] = ivit_arena_take(arena, m->most_tokens * sizeof(int16_t));
    p->qkv[i] = ivit_arena_take(arena, with_slack(m->most_qkv, widest));
  }
  if (!ivit_arena_whole(arena)) {
    ivit_arena_free(arena);
    return NULL;
  }
  return p;
}

void ivit_picture_free(struct ivit_picture *p) {
  if (p != NULL) {
    ivit_arena_free(p->arena);
  }
}

static void take_operand(
    struct ivit_arena *arena, struct ivit_operand *o, int columns, int depth) {
  ivit_matrix_columns(&o->main, columns);
  ivit_matrix_take(arena, &o->main, ivit_matrix_room(columns, depth));
  o->bias =
      ivit_arena_take(arena, (size_t)o->main.panels * IVIT_COLUMNS * sizeof(int32_t));
}

/* Most inputs of a product, whether its rows are norms or hidden ones. */
static int most_depth(const struct ivit_model *m) {
  return m->most_inputs < m->most_hidden ? m->most_hidden : m->most_inputs;
}

struct ivit_scratch *ivit_scratch_new(const struct ivit_model *m) {
  struct ivit_arena *arena = ivit_arena_new();
  if (arena == NULL) {
    return NULL;
  }
  struct ivit_scratch *s = ivit_arena_take(arena, sizeof *s);
  if (s == NULL) {
    ivit_arena_free(arena);
    return NULL;
  }
  s->arena = arena;
  size_t rows = IVIT_CHUNK + IVIT_TILE_ROWS;
  s->input_stride = ivit_stride((size_t)m->most_inputs);
  s->input = ivit_arena_take(arena, rows * s->input_stride);
  s->wide = ivit_arena_take(arena, (size_t)m->most_inputs * sizeof(int16_t));
  s->pool = ivit_arena_take(arena, (size_t)m->most_inputs * sizeof(int32_t));
  s->hidden = ivit_arena_take(arena, rows * ivit_stride((size_t)m->most_hidden));
  size_t gated = ivit_stride((size_t)m->most_gated);
  s->gate_codes = ivit_arena_take(arena, IVIT_TILE_ROWS * gated);
  s->value_codes = ivit_arena_take(arena, IVIT_TILE_ROWS * gated);
  s->gated = ivit_arena_take(
      arena, IVIT_CHUNK * ivit_stride((size_t)m->most_gated * sizeof *s->gated));
  s->high_stride = ivit_stride((size_t)m->most_outliers);
  s->high = ivit_arena_take(arena, rows * s->high_stride);
  if (m->kernels->arrange != NULL) {
    s->arranged = ivit_arena_take(
        arena, rows * ivit_arranged_stride(m->kernels, most_depth(m)));
    s->arranged_high = ivit_arena_take(
        arena, rows * ivit_arranged_stride(m->kernels, m->most_outliers));
  }
  for (int i = 0; i < 2; i++) {
    s->decoded[i] = ivit_arena_take(arena, m->most_decoded);
  }
  take_operand(arena, &s->keys, m->most_group, m->most_head_dim);
  take_operand(arena, &s->values, m->most_head_dim, m->most_group);
  s->values.shift = 8;
  s->score_stride = ivit_stride((size_t)m->most_group);
  s->scores = ivit_arena_take(arena, IVIT_TILE_ROWS * s->score_stride);
  s->probabilities = ivit_arena_take(arena, 2 * IVIT_TILE_ROWS * s->score_stride);
  if (!ivit_arena_whole(arena)) {
    ivit_arena_free(arena);
    return NULL;
  }
  return s;
}

void ivit_scratch_free(struct ivit_scratch *s) {
  if (s != NULL) {
    ivit_arena_free(s->arena);
  }
}

/* A patch as a row of stored codes: channel, row, column. */
static void unfold(const struct ivit_model *m, const int8_t *codes, int patch, uint8_t *out) {
  int columns = m->width / m->patch;
  size_t corner = ((size_t)(patch / columns) * (size_t)m->width + (size_t)(patch % columns))
      * (size_t)m->patch;
  for (int c = 0; c < 3; c++) {
    for (int y = 0; y < m->patch; y++) {
      const int8_t *from = codes + ((size_t)c * (size_t)m->height + (size_t)y) * (size_t)m->width
          + corner;
      for (int x = 0; x < m->patch; x++) {
        *out++ = (uint8_t)(from[x] + m->kernels->zero);
      }
    }
  }
}

static int16_t *token(const struct ivit_step *step, const struct ivit_picture *p, int row) {
  return p->tokens[step->tokens_out] + (size_t)row * (size_t)step->dim;
}

static void embed(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_picture *p,
    struct ivit_scratch *s, int first, int n) {
  const int16_t *positions[IVIT_CHUNK];
  int patches = 0;
  for (int row = first; row < first + n; row++) {
    int16_t *to = token(step, p, row);
    int patch = row - step->leading;
    if (patch < 0) {
      memcpy(to, step->leading_codes + row * step->dim, (size_t)step->dim * sizeof *to);
    } else {
      unfold(m, p->codes, patch, s->input + (size_t)patches * s->input_stride);
      positions[patches] = step->positions + (size_t)patch * (size_t)step->dim;
      s->tokens_out[patches++] = to;
    }
  }
  ivit_linear_add16(
      m->kernels, step->linear, ivit_panels_of(step->linear), s->input, s->input_stride, patches,
      &step->adder, s, positions, s->tokens_out);
}

static void widen(const uint8_t *codes, uint8_t zero, int n, int16_t *out) {
  for (int i = 0; i < n; i++) {
    out[i] = (int8_t)(codes[i] - zero);
  }
}

static void patch_norm(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_picture *p,
    struct ivit_scratch *s, int first, int n) {
  size_t stride = ivit_stride((size_t)m->most_hidden);
  for (int r = 0; r < n; r++) {
    unfold(m, p->codes, first + r, s->input + (size_t)r * s->input_stride);
    s->codes_out[r] = s->hidden + (size_t)r * stride;
  }
  ivit_linear_to8(
      m->kernels, step->linear, ivit_panels_of(step->linear), s->input, s->input_stride, n, NULL, s,
      s->codes_out);
  for (int r = 0; r < n; r++) {
    widen(s->codes_out[r], m->kernels->zero, step->dim, s->wide);
    m->kernels->norm16(s->wide, step->norm, token(step, p, first + r));
  }
}

/* The neighbours (0,0), (1,0), (0,1), (1,1) as (row, column), normed and reduced. */
static void merge(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_picture *p,
    struct ivit_scratch *s, int first, int n) {
  int half = step->width / 2;
  int dim = step->dim;
  size_t stride = ivit_stride((size_t)m->most_hidden);
  const int16_t *tokens = p->tokens[1 - step->tokens_out];
  for (int r = 0; r < n; r++) {
    int row = 2 * ((first + r) / half);
    int column = 2 * ((first + r) % half);
    for (int i = 0; i < 4; i++) {
      size_t from = (size_t)(row + i % 2) * (size_t)step->width + (size_t)(column + i / 2);
      memcpy(
          s->wide + i * dim, tokens + from * (size_t)dim, (size_t)dim * sizeof(int16_t));
    }
    m->kernels->norm(s->wide, step->norm, s->input + (size_t)r * s->input_stride);
    s->codes_out[r] = s->hidden + (size_t)r * stride;
  }
  ivit_linear_to8(
      m->kernels, step->linear, ivit_panels_of(step->linear), s->input, s->input_stride, n, NULL, s,
      s->codes_out);
  for (int r = 0; r < n; r++) {
    widen(
        s->codes_out[r], m->kernels->zero, 2 * dim,
        p->tokens[step->tokens_out] + (size_t)(first + r) * (size_t)(2 * dim));
  }
}

static void norm_tokens(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_picture *p,
    struct ivit_scratch *s, int first, int n) {
  for (int row = first; row < first + n; row++) {
    int16_t *codes = token(step, p, row);
    memcpy(s->wide, codes, (size_t)step->dim * sizeof *codes);
    m->kernels->norm16(s->wide, step->norm, codes);
  }
}

static uint8_t *codes_of(const struct ivit_step *step, const struct ivit_picture *p, int row) {
  return p->context + (size_t)row * ivit_stride((size_t)step->dim);
}

static void norm_codes(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_picture *p, int first,
    int n) {
  for (int row = first; row < first + n; row++) {
    m->kernels->norm(token(step, p, step->leading + row), step->norm, codes_of(step, p, row));
  }
}

/* The mean of so many codes that sum to this, in one rounding; not clamped. */
static int64_t mean_of(const struct ivit_step *step, int32_t sum) {
  int64_t half = (int64_t)1 << (step->pool_shift - 1);
  return ((int64_t)sum * step->pool_multiplier + half) >> step->pool_shift;
}

/* Channels that some panels have. */
static struct ivit_span channels_of(const struct ivit_step *step, struct ivit_span panels) {
  int to = panels.to * IVIT_COLUMNS;
  struct ivit_span channels = {panels.from * IVIT_COLUMNS, to < step->dim ? to : step->dim};
  return channels;
}

static void mean(
    const struct ivit_step *step, struct ivit_span panels, struct ivit_picture *p,
    struct ivit_scratch *s) {
  struct ivit_span channels = channels_of(step, panels);
  int32_t *sums = s->pool;
  memset(sums, 0, (size_t)step->dim * sizeof *sums);
  for (int t = step->leading; t < step->tokens; t++) {
    const int16_t *codes = token(step, p, t);
    for (int c = channels.from; c < channels.to; c++) {
      sums[c] += codes[c];
    }
  }
  int16_t *out = token(step, p, 0);
  for (int c = channels.from; c < channels.to; c++) {
    int64_t code = mean_of(step, sums[c]);
    out[c] = (int16_t)(code < INT16_MIN ? INT16_MIN : code > INT16_MAX ? INT16_MAX : code);
  }
}

/* The first head sets the logits, a second one adds its own. */
static void head(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_span panels,
    struct ivit_picture *p, struct ivit_scratch *s) {
  m->kernels->norm(token(step, p, step->token), step->norm, s->input);
  ivit_linear_logits(m->kernels, step->linear, panels, s->input, s, step->add, p->logits);
}

static void sum_codes(
    const struct ivit_step *step, struct ivit_span channels, uint8_t zero,
    const struct ivit_picture *p, int32_t *sums) {
  size_t n = (size_t)(channels.to - channels.from);
  memset(sums + channels.from, 0, n * sizeof *sums);
  for (int t = 0; t < step->tokens; t++) {
    const uint8_t *codes = codes_of(step, p, t);
    for (int c = channels.from; c < channels.to; c++) {
      sums[c] += (int8_t)(codes[c] - zero);
    }
  }
}

/* Mean over tokens in one rounding; or, without a layer, their sum as the answer. */
static void pool_head(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_span panels,
    struct ivit_picture *p, struct ivit_scratch *s) {
  uint8_t zero = m->kernels->zero;
  if (step->linear == NULL) {
    sum_codes(step, channels_of(step, panels), zero, p, p->logits);
    return;
  }
  struct ivit_span all = {0, step->dim};
  sum_codes(step, all, zero, p, s->pool);
  for (int c = 0; c < step->dim; c++) {
    int64_t code = mean_of(step, s->pool[c]);
    s->input[c] = (uint8_t)((code < -128 ? -128 : code > 127 ? 127 : code) + zero);
  }
  ivit_linear_logits(m->kernels, step->linear, panels, s->input, s, step->add, p->logits);
}

static void first_token(const struct ivit_step *step, struct ivit_picture *p) {
  const int16_t *codes = token(step, p, 0);
  for (int c = 0; c < step->dim; c++) {
    p->logits[c] = codes[c];
  }
}

/* Rows of a step around the blocks, and the beginning of the block after it, if one follows. */
static void around(
    const struct ivit_model *m, const struct ivit_step *step, struct ivit_picture *p,
    struct ivit_scratch *s, int first, int n) {
  if (step->kind == IVIT_EMBED) {
    embed(m, step, p, s, first, n);
  } else if (step->kind == IVIT_PATCH_NORM) {
    patch_norm(m, step, p, s, first, n);
  } else if (step->kind == IVIT_MERGE) {
    merge(m, step, p, s, first, n);
  } else if (step->kind == IVIT_NORM) {
    norm_tokens(m, step, p, s, first, n);
  } else {
    norm_codes(m, step, p, first, n);
  }
  const struct ivit_block *next = step->next;
  if (next != NULL) {
    ivit_block_begin(m->kernels, next, ivit_panels_of(next->qkv), p, s, NULL, first, n);
  }
}

static void chunk(
    const struct ivit_model *m, const struct ivit_step *step, const struct ivit_part *part,
    struct ivit_picture *p, struct ivit_scratch *s, int first, int n) {
  const struct ivit_kernels *k = m->kernels;
  struct ivit_span panels = {part->first, part->end};
  switch (part->phase) {
    case IVIT_PROJECT:
      ivit_block_project(k, step->block, panels, p, s, first, n);
      return;
    case IVIT_EXPAND:
      ivit_block_expand(k, step->block, panels, p, s, first, n);
      return;
    case IVIT_CONTRACT:
      ivit_block_contract(k, step->block, panels, p, s, first, n);
      return;
    case IVIT_BEGIN:
      ivit_block_begin(k, step->next, panels, p, s, NULL, first, n);
      return;
    default:
      around(m, step, p, s, first, n);
  }
}

static void run_block(
    const struct ivit_model *m, const struct ivit_step *step, const struct ivit_part *part,
    struct ivit_picture *p, struct ivit_scratch *s) {
  const struct ivit_block *block = step->block;
  if (part->phase != IVIT_FINISH) {
    struct ivit_span some = {part->first, part->end};
    struct ivit_span heads = part->phase == IVIT_WHOLE ? ivit_heads_of(block->attention) : some;
    ivit_attention_rows(m->kernels, block, heads, p, s, part->from, part->to);
  }
  if (part->phase != IVIT_ATTEND) {
    ivit_block_finish(m->kernels, block, step->next, p, s, part->from, part->to);
  }
}

static void run(
    const struct ivit_model *m, const struct ivit_step *step, const struct ivit_part *part,
    struct ivit_picture *p, struct ivit_scratch *s) {
  struct ivit_span panels = {part->first, part->end};
  if (step->kind == IVIT_HEAD) {
    head(m, step, panels, p, s);
  } else if (step->kind == IVIT_POOL_HEAD) {
    pool_head(m, step, panels, p, s);
  } else if (step->kind == IVIT_MEAN) {
    mean(step, panels, p, s);
  } else if (step->kind == IVIT_FIRST_TOKEN) {
    first_token(step, p);
  } else if (step->kind == IVIT_BLOCK && part->phase <= IVIT_FINISH) {
    run_block(m, step, part, p, s);
  } else {
    for (int row = part->from; row < part->to; row += IVIT_CHUNK) {
      int n = part->to - row < IVIT_CHUNK ? part->to - row : IVIT_CHUNK;
      chunk(m, step, part, p, s, row, n);
    }
  }
}

void ivit_model_run(
    const struct ivit_model *m, int step, const struct ivit_part *part,
    struct ivit_picture *picture, struct ivit_scratch *s) {
  if (m->kernels->enter != NULL) {
    m->kernels->enter();
  }
  run(m, &m->step[step], part, picture, s);
  if (m->kernels->leave != NULL) {
    m->kernels->leave();
  }
}
