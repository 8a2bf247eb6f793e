/*
 * Attention of one head at a time: keys and values of a group of tokens are packed as right
 * operands, then a tile of queries goes through scores, softmax and context while all of it lies in
 * the first levels of the cache.
 */
#include "model.h"
#include "pack.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* One head of one group. */
struct head {
  const uint8_t *queries; /* row of the group's first token */
  const uint8_t *keys;
  const uint8_t *values;
  size_t stride;
  int tokens;
  int dim;
};

static void pack_keys(const struct head *h, struct ivit_operand *keys) {
  ivit_matrix_shape(&keys->main, h->tokens, h->dim);
  int whole = h->dim / 4;
  size_t used = (size_t)keys->main.groups * 4 * IVIT_COLUMNS;
  for (int panel = 0; panel < keys->main.panels; panel++) {
    /* Another block's head may have been wider, and tiles may read whole tile registers. */
    int8_t *data = keys->main.data + (size_t)panel * keys->main.panel_size;
    memset(data + used, 0, keys->main.panel_size - used);
  }
  for (int t = 0; t < h->tokens; t++) {
    const uint8_t *from = h->keys + (size_t)t * h->stride;
    int8_t *to = keys->main.data + (size_t)(t / IVIT_COLUMNS) * keys->main.panel_size
        + (size_t)(t % IVIT_COLUMNS) * 4;
    for (int g = 0; g < whole; g++) {
      uint32_t four;
      memcpy(&four, from + 4 * g, 4);
      four ^= 0x80808080u;
      memcpy(to + (size_t)g * 4 * IVIT_COLUMNS, &four, 4);
    }
    for (int d = 4 * whole; d < 4 * keys->main.groups; d++) {
      int8_t code = d < h->dim ? (int8_t)(from[d] ^ 0x80) : 0;
      to[(size_t)whole * 4 * IVIT_COLUMNS + (size_t)(d % 4)] = code;
    }
    int32_t sum = -128 * h->dim;
    for (int d = 0; d < h->dim; d++) {
      sum += from[d];
    }
    keys->bias[t] = -128 * sum;
  }
}

/* Four rows of up to 32 offset codes to 32 groups of four codes. */
static void interleave(const uint8_t *const row[4], int n, int8_t *to) {
  int d = 0;
#if defined(__SSE2__)
  const __m128i sign = _mm_set1_epi8((char)0x80);
  for (; d + 16 <= n; d += 16) {
    __m128i a = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(row[0] + d)), sign);
    __m128i b = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(row[1] + d)), sign);
    __m128i c = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(row[2] + d)), sign);
    __m128i e = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(row[3] + d)), sign);
    __m128i ab = _mm_unpacklo_epi8(a, b);
    __m128i ce = _mm_unpacklo_epi8(c, e);
    __m128i *out = (__m128i *)(to + 4 * d);
    _mm_storeu_si128(out, _mm_unpacklo_epi16(ab, ce));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(ab, ce));
    ab = _mm_unpackhi_epi8(a, b);
    ce = _mm_unpackhi_epi8(c, e);
    _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(ab, ce));
    _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(ab, ce));
  }
#endif
  for (; d < n; d++) {
    for (int i = 0; i < 4; i++) {
      to[4 * d + i] = (int8_t)(row[i][d] ^ 0x80);
    }
  }
}

static void pack_values(const struct head *h, struct ivit_operand *values) {
  ivit_matrix_shape(&values->main, h->dim, h->tokens);
  static const uint8_t zero[IVIT_COLUMNS] = {
      128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
      128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128};
  for (int panel = 0; panel < values->main.panels; panel++) {
    int first = panel * IVIT_COLUMNS;
    int n = h->dim - first < IVIT_COLUMNS ? h->dim - first : IVIT_COLUMNS;
    int8_t *to = values->main.data + (size_t)panel * values->main.panel_size;
    for (int g = 0; g < values->main.groups; g++, to += 4 * IVIT_COLUMNS) {
      const uint8_t *row[4];
      for (int i = 0; i < 4; i++) {
        int t = 4 * g + i;
        row[i] = t < h->tokens ? h->values + (size_t)t * h->stride + first : zero;
      }
      interleave(row, n, to);
    }
  }
  values->high = values->main;
}

static void scores_of(
    const struct ivit_kernels *k, const struct ivit_attention *a, const struct head *h,
    int query, int rows, struct ivit_scratch *s) {
  _Alignas(IVIT_ALIGN) int32_t acc[IVIT_TILE_ROWS * IVIT_COLUMNS];
  uint8_t *out[IVIT_TILE_ROWS];
  for (int r = 0; r < rows; r++) {
    out[r] = s->scores + (size_t)r * s->score_stride;
  }
  const uint8_t *x = h->queries + (size_t)query * h->stride;
  for (int panel = 0; panel < s->keys.main.panels; panel++) {
    k->tile(x, h->stride, NULL, 0, rows, &s->keys, panel, acc);
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
        scores, a->tokens, mask, &a->softmax, s->probabilities_high + (size_t)r * s->score_stride,
        s->probabilities_low + (size_t)r * s->score_stride);
  }
}

static void context_of(
    const struct ivit_kernels *k, const struct ivit_attention *a, int head, int rows,
    struct ivit_scratch *s, uint8_t *context, size_t stride) {
  _Alignas(IVIT_ALIGN) int32_t acc[IVIT_TILE_ROWS * IVIT_COLUMNS];
  uint8_t *out[IVIT_TILE_ROWS];
  for (int r = 0; r < rows; r++) {
    out[r] = context + (size_t)r * stride;
  }
  for (int panel = 0; panel < s->values.main.panels; panel++) {
    int column = panel * IVIT_COLUMNS;
    int n = a->head_dim - column < IVIT_COLUMNS ? a->head_dim - column : IVIT_COLUMNS;
    k->tile(
        s->probabilities_low, s->score_stride, s->probabilities_high, s->score_stride, rows,
        &s->values, panel, acc);
    if (a->softmax.deferred) {
      k->normalise(acc, rows, s->factors);
    }
    k->to8(acc, rows, &a->context[head], NULL, column, n, out);
  }
}

/* Queries from to to - 1 of one group. */
static void attend(
    const struct ivit_kernels *k, const struct ivit_block *block,
    const struct ivit_picture *picture, struct ivit_scratch *s, int group, int from, int to) {
  const struct ivit_attention *a = block->attention;
  size_t stride = ivit_stride((size_t)(3 * block->dim));
  size_t context_stride = ivit_stride((size_t)block->dim);
  size_t first = (size_t)group * (size_t)a->tokens;
  const uint8_t *qkv = picture->qkv[block->qkv_in] + first * stride;
  int height = ivit_tile_height(k, to - from);
  for (int head = 0; head < a->heads; head++) {
    const uint8_t *queries = qkv + (size_t)head * (size_t)a->head_dim;
    struct head h = {
        queries, queries + block->dim, queries + 2 * block->dim, stride, a->tokens, a->head_dim};
    pack_keys(&h, &s->keys);
    pack_values(&h, &s->values);
    if (a->softmax.bits <= 8) {
      s->values.high.groups = 0;
    }
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

void ivit_attention_rows(
    const struct ivit_kernels *k, const struct ivit_block *block,
    const struct ivit_picture *picture, struct ivit_scratch *s, int from, int to) {
  int tokens = block->attention->tokens;
  while (from < to) {
    int group = from / tokens;
    int end = (group + 1) * tokens < to ? (group + 1) * tokens : to;
    attend(k, block, picture, s, group, from - group * tokens, end - group * tokens);
    from = end;
  }
}
