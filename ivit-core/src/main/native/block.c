/* A transformer block over rows of tokens. */
#include "model.h"

static int16_t *token(
    const struct ivit_block *block, const struct ivit_picture *picture, int row) {
  return picture->tokens[block->tokens_in] + (size_t)row * (size_t)block->dim;
}

void ivit_block_begin(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, const int *rows, int first, int n) {
  size_t stride = ivit_stride((size_t)(3 * block->dim));
  int tokens[IVIT_CHUNK];
  for (int r = 0; r < n; r++) {
    int row = rows == NULL ? first + r : rows[r];
    int place = block->places == NULL ? row : block->places[row];
    k->norm(token(block, picture, row), block->norm1, s->input + (size_t)r * s->input_stride);
    s->codes_out[r] = picture->qkv[block->qkv_in] + (size_t)place * stride;
    tokens[r] = row;
  }
  if (block->rotation != NULL) {
    ivit_linear_turn8(
        k, block->qkv, panels, s->input, s->input_stride, n, block->rotation, tokens, s,
        s->codes_out);
  } else {
    ivit_linear_to8(
        k, block->qkv, panels, s->input, s->input_stride, n, NULL, s, s->codes_out);
  }
}

/* The paper's GELU, whose table depends on the row's maximum. */
static void gelu_by_row(
    const struct ivit_gelu *gelu, uint8_t zero, int channels, const uint8_t *codes, uint8_t *out) {
  int largest = INT8_MIN;
  for (int c = 0; c < channels; c++) {
    int8_t code = (int8_t)(codes[c] - zero);
    largest = code > largest ? code : largest;
  }
  const uint8_t *table = gelu->table + 256 * (uint8_t)(largest + zero);
  for (int c = 0; c < channels; c++) {
    out[c] = table[codes[c]];
  }
}

/* Whether something is left to be done once all columns of a row are expanded. */
static int ends_by_row(const struct ivit_block *block) {
  return block->mlp_norm != NULL || (block->gelu != NULL && block->gelu->by_row);
}

/* That: the norm of gated values, or GELU by row, which `out` may be the row of. */
static void end_row(
    const struct ivit_kernels *k, const struct ivit_block *block, const void *row, uint8_t *out) {
  if (block->mlp_norm != NULL) {
    k->norm(row, block->mlp_norm, out);
  } else {
    gelu_by_row(block->gelu, k->zero, block->hidden, row, out);
  }
}

static uint8_t *hidden_row(
    const struct ivit_block *block, const struct ivit_scratch *s, int row) {
  return s->hidden + (size_t)row * ivit_stride((size_t)block->hidden);
}

/* Norm, first layers of the MLP and what may follow them by column, to rows from `out` on. */
static void expand(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_scratch *s, void *out, int n) {
  size_t stride = ivit_expanded_stride(block);
  for (int r = 0; r < n; r++) {
    k->norm(s->tokens_out[r], block->norm2, s->input + (size_t)r * s->input_stride);
    s->codes_out[r] = (uint8_t *)out + (size_t)r * stride;
    s->gated_out[r] = (int16_t *)out + (size_t)r * (stride / sizeof(int16_t));
  }
  if (block->gating == NULL) {
    ivit_linear_to8(
        k, block->fc1, panels, s->input, s->input_stride, n,
        block->gelu->by_row ? NULL : block->gelu, s, s->codes_out);
  } else if (block->mlp_norm == NULL) {
    ivit_linear_gate8(
        k, block->fc1, block->value, panels, s->input, s->input_stride, n, block->gating, s,
        s->codes_out);
  } else {
    ivit_linear_gate16(
        k, block->fc1, block->value, panels, s->input, s->input_stride, n, block->gating, s,
        s->gated_out);
  }
}

static void contract(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    const uint8_t *hidden, struct ivit_scratch *s, int n) {
  ivit_linear_add16(
      k, block->fc2, panels, hidden, ivit_stride((size_t)block->hidden), n, &block->residual2, s,
      (const int16_t *const *)s->tokens_out, s->tokens_out);
}

/* Rows that are expanded lie from `rows` on, or in s->hidden, which they go through. */
static void end_rows(
    const struct ivit_kernels *k, const struct ivit_block *block, const uint8_t *rows,
    struct ivit_scratch *s, int n) {
  for (int r = 0; r < n; r++) {
    end_row(k, block, rows + (size_t)r * ivit_expanded_stride(block), hidden_row(block, s, r));
  }
}

static void mlp(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_scratch *s, int n) {
  uint8_t *expanded = block->mlp_norm == NULL ? s->hidden : (uint8_t *)s->gated;
  expand(k, block, ivit_panels_of(block->fc1), s, expanded, n);
  if (ends_by_row(block)) {
    end_rows(k, block, expanded, s, n);
  }
  contract(k, block, ivit_panels_of(block->fc2), s->hidden, s, n);
}

void ivit_block_project(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, int first, int n) {
  size_t stride = ivit_stride((size_t)block->dim);
  const int16_t *identity[IVIT_CHUNK];
  for (int r = 0; r < n; r++) {
    int row = block->order == NULL ? first + r : block->order[first + r];
    s->tokens_out[r] = token(block, picture, row);
    identity[r] = block->zeros == NULL ? s->tokens_out[r] : block->zeros;
  }
  ivit_linear_add16(
      k, block->proj, panels, picture->context + (size_t)first * stride, stride, n,
      &block->residual1, s, identity, s->tokens_out);
}

void ivit_block_expand(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, int first, int n) {
  for (int r = 0; r < n; r++) {
    s->tokens_out[r] = token(block, picture, first + r);
  }
  expand(k, block, panels, s, picture->expanded + (size_t)first * ivit_expanded_stride(block), n);
}

/* Every part ends rows for itself: others read what they were, too. */
void ivit_block_contract(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, int first, int n) {
  const uint8_t *expanded = picture->expanded + (size_t)first * ivit_expanded_stride(block);
  for (int r = 0; r < n; r++) {
    s->tokens_out[r] = token(block, picture, first + r);
  }
  if (ends_by_row(block)) {
    end_rows(k, block, expanded, s, n);
    expanded = s->hidden;
  }
  contract(k, block, panels, expanded, s, n);
}

void ivit_block_finish(
    const struct ivit_kernels *k, const struct ivit_block *block, const struct ivit_block *next,
    struct ivit_picture *picture, struct ivit_scratch *s, int from, int to) {
  for (int place = from; place < to; place += IVIT_CHUNK) {
    int n = to - place < IVIT_CHUNK ? to - place : IVIT_CHUNK;
    ivit_block_project(k, block, ivit_panels_of(block->proj), picture, s, place, n);
    mlp(k, block, s, n);
    if (next != NULL) {
      const int *rows = block->order == NULL ? NULL : block->order + place;
      ivit_block_begin(k, next, ivit_panels_of(next->qkv), picture, s, rows, place, n);
    }
  }
}
