/*
 * Right operands for byte dot products: weights once, keys and values of a head for each picture.
 */
#include "pack.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static void shape(struct ivit_matrix *m, int columns, int depth) {
  ivit_matrix_columns(m, columns);
  m->groups = (depth + 3) / 4;
  m->panel_size = ivit_round_up((size_t)m->groups, IVIT_K_GROUP) * 4 * IVIT_COLUMNS;
}

int ivit_pack_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth) {
  shape(m, m->columns, depth);
  if (!ivit_matrix_take(arena, m, m->panel_size * (size_t)m->panels)) {
    return 0;
  }
  int whole = depth / 4;
  for (int c = 0; c < m->columns; c++) {
    const int8_t *row = weight + (size_t)c * (size_t)depth;
    int8_t *to = m->data + (size_t)(c / IVIT_COLUMNS) * m->panel_size
        + (size_t)(c % IVIT_COLUMNS) * 4;
    for (int g = 0; g < whole; g++) {
      memcpy(to + (size_t)g * 4 * IVIT_COLUMNS, row + 4 * g, 4);
    }
    for (int k = 4 * whole; k < depth; k++) {
      to[(size_t)whole * 4 * IVIT_COLUMNS + (size_t)(k % 4)] = row[k];
    }
  }
  return 1;
}

void ivit_pack_keys_dot(const struct ivit_head *h, struct ivit_operand *keys) {
  shape(&keys->main, h->tokens, h->dim);
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

void ivit_pack_values_dot(const struct ivit_head *h, int bits, struct ivit_operand *values) {
  shape(&values->main, h->dim, h->tokens);
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
  if (bits <= 8) {
    values->high.groups = 0;
  }
}
