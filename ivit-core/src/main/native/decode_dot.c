/* Indices for byte dot products as ivit.h has them, and their portable decoding. */
#include "indices.h"
#include "pack.h"

#include <string.h>

enum {
  VECTOR = 64,             /* indices */
  CODES = 4 * IVIT_COLUMNS, /* bytes of a group of a decoded panel */
  HALF = 16,               /* columns */
  STEP = 16,               /* places along K that tables decode together */
  SIXTEENTH = 16 * IVIT_COLUMNS, /* bytes of sixteen entries of a panel's tables */
  ZERO = 8                 /* the index of a code of zero, by multipliers of 4 bits */
};

/* A panel of indices and, behind them, of what decodes them. */
static int shape(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth,
    size_t decoders) {
  m->bits = w->bits;
  m->shift = w->shift;
  m->depth = depth;
  m->groups = (depth + 3) / 4;
  m->panel_size = ivit_round_up((size_t)m->groups, IVIT_K_GROUP) * CODES;
  m->packed_size = ivit_indices_size(m->panel_size, w->bits) + decoders;
  if (!ivit_matrix_take(arena, m, m->packed_size * (size_t)m->panels)) {
    return 0;
  }
  memset(m->data, 0, m->packed_size * (size_t)m->panels);
  return 1;
}

/* Multipliers of a panel, of as many groups as it is padded to. */
static size_t multipliers(int depth) {
  return ivit_round_up((size_t)depth, 4 * IVIT_K_GROUP) / IVIT_GROUP * IVIT_COLUMNS;
}

static uint8_t *packed(const struct ivit_matrix *m, int panel) {
  return (uint8_t *)m->data + (size_t)panel * m->packed_size;
}

static uint8_t *decoders(const struct ivit_matrix *m, int panel) {
  return packed(m, panel) + ivit_indices_size(m->panel_size, m->bits);
}

static int itself(int index, int bits) {
  (void)bits;
  return index;
}

/* Multipliers, and what stands for the indices; absent inputs and those that fill a group are zeros. */
static int pack_groups(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth,
    int (*stands_for)(int index, int bits)) {
  if (!shape(arena, m, w, depth, multipliers(depth))) {
    return 0;
  }
  for (int c = 0; c < m->columns; c++) {
    uint8_t *to = packed(m, c / IVIT_COLUMNS), *multiplier = decoders(m, c / IVIT_COLUMNS);
    int column = c % IVIT_COLUMNS;
    for (int k = 0, absent = 0; k < (int)ivit_round_up((size_t)depth, IVIT_GROUP); k++) {
      int index = 1 << (w->bits - 1);
      if (absent < m->absents && m->absent[absent] == k) {
        absent++;
      } else if (k < depth) {
        index = ivit_index(w, depth, c, k);
      }
      ivit_set_index(
          to, m->panel_size, VECTOR, w->bits, (size_t)(k / 4 * 2 + column / HALF),
          4 * (column % HALF) + k % 4, stands_for(index, w->bits));
    }
    for (int k = 0; k < depth; k += IVIT_GROUP) {
      multiplier[k + column] = (uint8_t)ivit_multiplier(w, depth, c, k);
    }
  }
  return 1;
}

int ivit_pack_groups_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth) {
  return pack_groups(arena, m, w, depth, itself);
}

int ivit_pack_wide_groups_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth) {
  return pack_groups(arena, m, w, depth, ivit_number_of);
}

/* The vector that has a column's places along K of a step, and below its lane there. */
static size_t vector_of(int column, int step) {
  return (size_t)(8 * step + column / HALF * 4 + column % 4);
}

static int lane_of(int column) {
  return column % HALF / 4;
}

/* Sixteen entries of a column's table among those of all columns. */
static size_t table_of(int column) {
  return (size_t)(256 * (column / HALF) + 64 * (column % 4) + 16 * lane_of(column));
}

int ivit_pack_tables_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth) {
  size_t entries = (size_t)1 << w->bits;
  if (!shape(arena, m, w, depth, entries * IVIT_COLUMNS)) {
    return 0;
  }
  for (int c = 0; c < m->columns; c++) {
    uint8_t *to = packed(m, c / IVIT_COLUMNS), *tables = decoders(m, c / IVIT_COLUMNS);
    int column = c % IVIT_COLUMNS;
    for (int k = 0; k < depth; k++) {
      ivit_set_index(
          to, m->panel_size, VECTOR, w->bits, vector_of(column, k / STEP),
          STEP * lane_of(column) + k % STEP, ivit_index(w, depth, c, k));
    }
    for (size_t i = 0; i < entries; i += 16) {
      memcpy(
          tables + i / 16 * SIXTEENTH + table_of(column), w->table + entries * (size_t)c + i, 16);
    }
  }
  return 1;
}

void ivit_decode_groups_dot(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *index = packed(m, panel), *multiplier = decoders(m, panel);
  for (size_t k = 0; k < m->panel_size / IVIT_COLUMNS; k += 4, index += VECTOR, to += CODES) {
    const uint8_t *by = multiplier + k / IVIT_GROUP * IVIT_COLUMNS;
    for (int i = 0; i < VECTOR; i++) {
      to[i] = (int8_t)(((index[i] & 0x0F) - ZERO) * by[i / 4]);
      to[VECTOR + i] = (int8_t)(((index[i] >> 4) - ZERO) * by[HALF + i / 4]);
    }
  }
}

void ivit_decode_wide_groups_dot(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *indices = packed(m, panel), *multiplier = decoders(m, panel);
  int half = 1 << m->shift >> 1;
  for (size_t v = 0; v < m->panel_size / VECTOR; v++) {
    const uint8_t *by = multiplier + v / 2 * 4 / IVIT_GROUP * IVIT_COLUMNS + v % 2 * HALF;
    for (int i = 0; i < VECTOR; i++) {
      int stands = ivit_get_index(indices, m->panel_size, VECTOR, m->bits, v, i);
      int q = ivit_number(stands, m->bits);
      *to++ = (int8_t)((q * by[i / 4] + half) >> m->shift);
    }
  }
}

void ivit_decode_tables_dot(const struct ivit_matrix *m, int panel, int8_t *to) {
  const uint8_t *indices = packed(m, panel);
  const int8_t *tables = (const int8_t *)decoders(m, panel);
  for (int step = 0; step < (int)(m->panel_size / (STEP * IVIT_COLUMNS)); step++) {
    int8_t *out = to + step * STEP * IVIT_COLUMNS;
    for (int c = 0; c < IVIT_COLUMNS; c++) {
      for (int i = 0; i < STEP; i++) {
        int index = ivit_get_index(
            indices, m->panel_size, VECTOR, m->bits, vector_of(c, step), STEP * lane_of(c) + i);
        out[i / 4 * CODES + 4 * c + i % 4] =
            tables[index / 16 * SIXTEENTH + (int)table_of(c) + index % 16];
      }
    }
  }
  ivit_clear_dot(m, to);
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
