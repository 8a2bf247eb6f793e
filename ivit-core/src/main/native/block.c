/* A transformer block over rows of tokens. */
#include "model.h"

#include <string.h>

static int16_t *token(
    const struct ivit_block *block, const struct ivit_picture *picture, int row) {
  return picture->tokens[block->tokens_in] + (size_t)row * (size_t)block->dim;
}

void ivit_block_begin(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, const int *rows, int first, int n) {
  size_t stride = ivit_stride((size_t)(3 * block->dim));
  for (int r = 0; r < n; r++) {
    int row = rows == NULL ? first + r : rows[r];
    int place = block->places == NULL ? row : block->places[row];
    k->norm(token(block, picture, row), block->norm1, s->input + (size_t)r * s->input_stride);
    s->codes_out[r] = picture->qkv[block->qkv_in] + (size_t)place * stride;
  }
  ivit_linear_to8(
      k, block->qkv, panels, s->input, s->input_stride, n, NULL, s, s->codes_out);
}

/* The paper's GELU, whose table depends on the row's maximum. */
static void gelu_by_row(
    const struct ivit_gelu *gelu, uint8_t zero, int channels, uint8_t *codes) {
  int largest = INT8_MIN;
  for (int c = 0; c < channels; c++) {
    int8_t code = (int8_t)(codes[c] - zero);
    largest = code > largest ? code : largest;
  }
  const uint8_t *table = gelu->table + 256 * (uint8_t)(largest + zero);
  for (int c = 0; c < channels; c++) {
    codes[c] = table[codes[c]];
  }
}

/* Norm and first layer of the MLP; of GELU by row no more than its codes to be looked up. */
static void expand(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_scratch *s, int n) {
  for (int r = 0; r < n; r++) {
    k->norm(s->tokens_out[r], block->norm2, s->input + (size_t)r * s->input_stride);
  }
  ivit_linear_to8(
      k, block->fc1, panels, s->input, s->input_stride, n,
      block->gelu->by_row ? NULL : block->gelu, s, s->codes_out);
}

static void contract(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    const uint8_t *hidden, struct ivit_scratch *s, int n) {
  ivit_linear_add16(
      k, block->fc2, panels, hidden, ivit_stride((size_t)block->hidden), n, &block->residual2, s,
      (const int16_t *const *)s->tokens_out, s->tokens_out);
}

static void mlp(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_scratch *s, int n) {
  for (int r = 0; r < n; r++) {
    s->codes_out[r] = s->hidden + (size_t)r * ivit_stride((size_t)block->hidden);
  }
  expand(k, block, ivit_panels_of(block->fc1), s, n);
  for (int r = 0; block->gelu->by_row && r < n; r++) {
    gelu_by_row(block->gelu, k->zero, block->hidden, s->codes_out[r]);
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
  size_t stride = ivit_stride((size_t)block->hidden);
  for (int r = 0; r < n; r++) {
    s->tokens_out[r] = token(block, picture, first + r);
    s->codes_out[r] = picture->expanded + (size_t)(first + r) * stride;
  }
  expand(k, block, panels, s, n);
}

/* Every part looks GELU by row up for itself: others read the codes of its rows, too. */
void ivit_block_contract(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, int first, int n) {
  size_t stride = ivit_stride((size_t)block->hidden);
  const uint8_t *hidden = picture->expanded + (size_t)first * stride;
  for (int r = 0; r < n; r++) {
    s->tokens_out[r] = token(block, picture, first + r);
  }
  if (block->gelu->by_row) {
    memcpy(s->hidden, hidden, (size_t)n * stride);
    hidden = s->hidden;
    for (int r = 0; r < n; r++) {
      gelu_by_row(block->gelu, k->zero, block->hidden, s->hidden + (size_t)r * stride);
    }
  }
  contract(k, block, panels, hidden, s, n);
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
