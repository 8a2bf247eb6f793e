/* Weights of 4 bits for byte dot products: indices as ivit.h has them, and their portable decoding. */
#include "pack.h"

#include <string.h>

enum {
  CODES = 4 * IVIT_COLUMNS,      /* bytes of a group of a decoded panel */
  HALF = 16,                     /* columns */
  STEP = 16,                     /* places along K that tables decode together */
  STEP_INDICES = 256,            /* bytes of them */
  TABLES = 16 * IVIT_COLUMNS,    /* bytes of a panel's tables */
  ZERO = 8                       /* the index of a code of zero, by multipliers */
};

/* A panel of indices and, behind them, of what decodes them. */
static int shape(
    struct ivit_arena *arena, struct ivit_matrix *m, int depth, size_t decoders) {
  m->depth = depth;
  m->groups = (depth + 3) / 4;
  m->panel_size = ivit_round_up((size_t)m->groups, IVIT_K_GROUP) * CODES;
  m->packed_size = m->panel_size / 2 + decoders;
  return ivit_matrix_take(arena, m, m->packed_size * (size_t)m->panels);
}

/* Multipliers of a panel, of as many groups as it is padded to. */
static size_t multipliers(int depth) {
  return ivit_round_up((size_t)depth, 4 * IVIT_K_GROUP) / IVIT_GROUP * IVIT_COLUMNS;
}

static uint8_t *packed(const struct ivit_matrix *m, int panel) {
  return (uint8_t *)m->data + (size_t)panel * m->packed_size;
}

static void set_half(uint8_t *byte, int upper, int index) {
  *byte = upper ? (uint8_t)((*byte & 0x0F) | index << 4) : (uint8_t)((*byte & 0xF0) | index);
}

static void set_group_index(uint8_t *panel, int column, int k, int index) {
  set_half(panel + 64 * (k / 4) + 4 * (column % HALF) + k % 4, column >= HALF, index);
}

int ivit_pack_groups_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth) {
  if (!shape(arena, m, depth, multipliers(depth))) {
    return 0;
  }
  int groups = (depth + IVIT_GROUP - 1) / IVIT_GROUP;
  for (int panel = 0; panel < m->panels; panel++) {
    memset(packed(m, panel), ZERO << 4 | ZERO, m->panel_size / 2);
  }
  for (int c = 0; c < m->columns; c++) {
    uint8_t *to = packed(m, c / IVIT_COLUMNS);
    int column = c % IVIT_COLUMNS;
    for (int k = 0; k < depth; k++) {
      set_group_index(to, column, k, ivit_index(w, depth, c, k));
    }
    for (int i = 0; i < m->absents; i++) {
      set_group_index(to, column, m->absent[i], ZERO);
    }
    for (int g = 0; g < groups; g++) {
      to[m->panel_size / 2 + (size_t)(g * IVIT_COLUMNS + column)] =
          w->multiplier[(size_t)c * (size_t)groups + (size_t)g];
    }
  }
  return 1;
}

int ivit_pack_tables_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth) {
  if (!shape(arena, m, depth, TABLES)) {
    return 0;
  }
  for (int c = 0; c < m->columns; c++) {
    uint8_t *to = packed(m, c / IVIT_COLUMNS);
    int half = c % IVIT_COLUMNS / HALF, lane = c % HALF / 4, place = c % 4;
    uint8_t *indices = to + 128 * half + 64 * (place / 2) + 16 * lane;
    for (int k = 0; k < depth; k++) {
      uint8_t *byte = indices + STEP_INDICES * (k / STEP) + k % STEP;
      set_half(byte, place % 2, ivit_index(w, depth, c, k));
    }
    memcpy(
        to + m->panel_size / 2 + 256 * half + 64 * place + 16 * lane, w->table + 16 * (size_t)c,
        16);
  }
  return 1;
}

void ivit_decode_groups_dot(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *index = packed(m, panel);
  const uint8_t *multiplier = index + m->panel_size / 2;
  for (size_t k = 0; k < m->panel_size / IVIT_COLUMNS; k += 4, index += 64, to += CODES) {
    const uint8_t *by = multiplier + k / IVIT_GROUP * IVIT_COLUMNS;
    for (int i = 0; i < 64; i++) {
      to[i] = (int8_t)(((index[i] & 0x0F) - ZERO) * by[i / 4]);
      to[64 + i] = (int8_t)(((index[i] >> 4) - ZERO) * by[HALF + i / 4]);
    }
  }
}

void ivit_decode_tables_dot(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *index = packed(m, panel);
  const int8_t *tables = (const int8_t *)index + m->panel_size / 2;
  int8_t *first = to;
  for (size_t k = 0; k < m->panel_size / IVIT_COLUMNS; k += STEP, to += STEP / 4 * CODES) {
    for (int c = 0; c < IVIT_COLUMNS; c++) {
      int half = c / HALF, lane = c % HALF / 4, place = c % 4;
      const uint8_t *of = index + 128 * half + 64 * (place / 2) + 16 * lane;
      const int8_t *table = tables + 256 * half + 64 * place + 16 * lane;
      for (int i = 0; i < STEP; i++) {
        int entry = place % 2 == 0 ? of[i] & 0x0F : of[i] >> 4;
        to[i / 4 * CODES + 4 * c + i % 4] = table[entry];
      }
    }
    index += STEP_INDICES;
  }
  ivit_clear_dot(m, first);
}

static void clear_input(int8_t *to, int k) {
  int8_t *code = to + (size_t)(k / 4) * CODES + k % 4;
  for (int c = 0; c < IVIT_COLUMNS; c++) {
    code[4 * c] = 0;
  }
}

void ivit_clear_dot(const struct ivit_matrix *m, int8_t *to) {
  for (int i = 0; i < m->absents; i++) {
    clear_input(to, m->absent[i]);
  }
  for (int k = m->depth; k < 4 * m->groups; k++) {
    clear_input(to, k);
  }
  size_t used = (size_t)m->groups * CODES;
  memset(to + used, 0, m->panel_size - used);
}
