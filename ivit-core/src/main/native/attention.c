/*
 * Attention of one head at a time: keys and values of a group of tokens are packed as right
 * operands, then a tile of queries goes through scores, softmax and context while all of it lies in
 * the first levels of the cache.
 */
#include "model.h"

static void scores_of(
    const struct ivit_kernels *k, const struct ivit_attention *a, const struct ivit_head *h,
    int query, int rows, struct ivit_scratch *s) {
  _Alignas(IVIT_ALIGN) int32_t acc[IVIT_TILE_ROWS * IVIT_COLUMNS];
  uint8_t *out[IVIT_TILE_ROWS];
  for (int r = 0; r < rows; r++) {
    out[r] = s->scores + (size_t)r * s->score_stride;
  }
  const uint8_t *x = h->queries + (size_t)query * h->stride;
  for (int panel = 0; panel < s->keys.main.panels; panel++) {
    k->scores(x, h->stride, NULL, 0, rows, &s->keys, panel, acc);
    k->to8(acc, rows, &a->scores, NULL, panel * IVIT_COLUMNS, IVIT_COLUMNS, out);
  }
}

static void softmax_of(
    const struct ivit_kernels *k, const struct ivit_attention *a, int group, int head, int query,
    int rows, struct ivit_scratch *s) {
  const struct ivit_window *window = a->window;
  for (int r = 0; r < rows; r++) {
    uint8_t *scores = s->scores + (size_t)r * s->score_stride;
    const uint64_t *mask = NULL;
    if (window != NULL) {
      k->bias(scores, window, head, query + r);
      const uint64_t *masks = window->masks[group];
      mask = masks == NULL ? NULL : masks + (size_t)(query + r) * (size_t)window->words;
    }
    s->factors[r] = k->softmax(
        scores, a->tokens, mask, &a->softmax, s->probabilities + 2 * (size_t)r * s->score_stride,
        s->score_stride);
  }
}

static void context_of(
    const struct ivit_kernels *k, const struct ivit_attention *a, int head, int rows,
    struct ivit_scratch *s, uint8_t *context, size_t context_stride) {
  size_t stride = 2 * s->score_stride;
  _Alignas(IVIT_ALIGN) int32_t acc[IVIT_TILE_ROWS * IVIT_COLUMNS];
  uint8_t *out[IVIT_TILE_ROWS];
  for (int r = 0; r < rows; r++) {
    out[r] = context + (size_t)r * context_stride;
  }
  for (int panel = 0; panel < s->values.main.panels; panel++) {
    int column = panel * IVIT_COLUMNS;
    int n = a->head_dim - column < IVIT_COLUMNS ? a->head_dim - column : IVIT_COLUMNS;
    k->context(
        s->probabilities, stride, s->probabilities + s->score_stride, stride, rows, &s->values,
        panel, acc);
    if (a->softmax.deferred) {
      k->normalise(acc, rows, s->factors);
    }
    k->to8(acc, rows, &a->context[head], NULL, column, n, out);
  }
}

/* Queries from to to - 1 of one group. */
static void attend(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span heads,
    const struct ivit_picture *picture, struct ivit_scratch *s, int group, int from, int to) {
  const struct ivit_attention *a = block->attention;
  size_t stride = ivit_stride((size_t)(3 * block->dim));
  size_t context_stride = ivit_stride((size_t)block->dim);
  size_t first = (size_t)group * (size_t)a->tokens;
  const uint8_t *qkv = picture->qkv[block->qkv_in] + first * stride;
  int height = ivit_tile_height(k->rows, to - from);
  for (int head = heads.from; head < heads.to; head++) {
    const uint8_t *queries = qkv + (size_t)head * (size_t)a->head_dim;
    struct ivit_head h = {
        queries, queries + block->dim, queries + 2 * block->dim, stride, a->tokens, a->head_dim};
    k->pack_keys(&h, &s->keys);
    k->pack_values(&h, a->softmax.bits, &s->values);
    for (int query = from; query < to; query += height) {
      int rows = to - query < height ? to - query : height;
      uint8_t *context = picture->context + (first + (size_t)query) * context_stride
          + (size_t)head * (size_t)a->head_dim;
      scores_of(k, a, &h, query, rows, s);
      softmax_of(k, a, group, head, query, rows, s);
      context_of(k, a, head, rows, s, context, context_stride);
    }
  }
}

/* The context of the constant query, a row. */
static void pool(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span heads,
    const struct ivit_picture *picture, struct ivit_scratch *s) {
  const struct ivit_attention *a = block->attention;
  size_t stride = ivit_stride((size_t)(3 * block->dim));
  const uint8_t *rows = picture->qkv[block->qkv_in];
  for (int head = heads.from; head < heads.to; head++) {
    size_t column = (size_t)head * (size_t)a->head_dim;
    struct ivit_head h = {NULL, NULL, rows + column, stride, a->tokens, a->head_dim};
    k->pack_values(&h, a->softmax.bits, &s->values);
    const uint8_t *score = rows + block->dim + head;
    for (int t = 0; t < a->tokens; t++, score += stride) {
      s->scores[t] = *score;
    }
    softmax_of(k, a, 0, head, 0, 1, s);
    context_of(k, a, head, 1, s, picture->context + column, 0);
  }
}

void ivit_attention_rows(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span heads,
    const struct ivit_picture *picture, struct ivit_scratch *s, int from, int to) {
  int tokens = block->attention->tokens;
  if (block->attention->pooling) {
    pool(k, block, heads, picture, s);
    return;
  }
  while (from < to) {
    int group = from / tokens;
    int end = (group + 1) * tokens < to ? (group + 1) * tokens : to;
    attend(k, block, heads, picture, s, group, from - group * tokens, end - group * tokens);
    from = end;
  }
}
