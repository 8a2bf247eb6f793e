/* A transformer block over rows of tokens. */
#include "model.h"

static int16_t *token(
    const struct ivit_block *block, const struct ivit_picture *picture, int row) {
  return picture->tokens[block->tokens_in] + (size_t)row * (size_t)block->dim;
}

void ivit_block_begin(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_picture *picture,
    struct ivit_scratch *s, const int *rows, int first, int n) {
  size_t stride = ivit_stride((size_t)(3 * block->dim));
  for (int r = 0; r < n; r++) {
    int row = rows == NULL ? first + r : rows[r];
    int place = block->places == NULL ? row : block->places[row];
    k->norm(token(block, picture, row), block->norm1, s->input + (size_t)r * s->input_stride);
    s->codes_out[r] = picture->qkv[block->qkv_in] + (size_t)place * stride;
  }
  ivit_linear_to8(
      k, block->qkv, s->input, s->input_stride, n, NULL, s, s->codes_out);
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

static void mlp(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_scratch *s, int n) {
  size_t stride = ivit_stride((size_t)block->hidden);
  for (int r = 0; r < n; r++) {
    k->norm(s->tokens_out[r], block->norm2, s->input + (size_t)r * s->input_stride);
    s->codes_out[r] = s->hidden + (size_t)r * stride;
  }
  int by_row = block->gelu->by_row;
  ivit_linear_to8(
      k, block->fc1, s->input, s->input_stride, n, by_row ? NULL : block->gelu, s, s->codes_out);
  for (int r = 0; by_row && r < n; r++) {
    gelu_by_row(block->gelu, k->zero, block->hidden, s->codes_out[r]);
  }
  ivit_linear_add16(
      k, block->fc2, s->hidden, stride, n, &block->residual2, s,
      (const int16_t *const *)s->tokens_out, s->tokens_out);
}

void ivit_block_finish(
    const struct ivit_kernels *k, const struct ivit_block *block, const struct ivit_block *next,
    struct ivit_picture *picture, struct ivit_scratch *s, int from, int to) {
  size_t stride = ivit_stride((size_t)block->dim);
  ivit_attention_rows(k, block, picture, s, from, to);
  for (int place = from; place < to; place += IVIT_CHUNK) {
    int n = to - place < IVIT_CHUNK ? to - place : IVIT_CHUNK;
    for (int r = 0; r < n; r++) {
      int row = block->order == NULL ? place + r : block->order[place + r];
      s->tokens_out[r] = token(block, picture, row);
    }
    ivit_linear_add16(
        k, block->proj, picture->context + (size_t)place * stride, stride, n, &block->residual1,
        s, (const int16_t *const *)s->tokens_out, s->tokens_out);
    mlp(k, block, s, n);
    if (next != NULL) {
      const int *rows = block->order == NULL ? NULL : block->order + place;
      ivit_block_begin(k, next, picture, s, rows, place, n);
    }
  }
}
