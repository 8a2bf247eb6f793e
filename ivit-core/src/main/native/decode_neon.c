/*
 * Weights of 4 bits in strips. Of sixteen places along K at a time, [steps][16 pairs of columns][16]: a
 * byte has a pair's first column in its lower half. Behind them the tables of a panel, [32 columns][16],
 * or multipliers, [depth / 32][32 columns].
 */
#include "lanes_neon.h"
#include "neon.h"
#include "pack.h"

#include <string.h>

enum { PAIRS = IVIT_COLUMNS / 2, ZERO = 8 /* the index of a code of zero, by multipliers */ };

static size_t indices_size(const struct ivit_matrix *m) {
  return (size_t)m->groups * PAIRS * IVIT_STEP_NEON;
}

static int groups_of(int depth) {
  return (depth + IVIT_GROUP - 1) / IVIT_GROUP;
}

static uint8_t *packed(const struct ivit_matrix *m, int panel) {
  return (uint8_t *)m->data + (size_t)panel * m->packed_size;
}

static void set_index(uint8_t *panel, int column, int k, int index) {
  uint8_t *byte = panel
      + (k / IVIT_STEP_NEON * PAIRS + column / 2) * IVIT_STEP_NEON + k % IVIT_STEP_NEON;
  *byte = column % 2 == 0 ? (uint8_t)((*byte & 0xF0) | index)
                          : (uint8_t)((*byte & 0x0F) | index << 4);
}

int ivit_pack_indices_neon(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth,
    int unit) {
  ivit_shape_neon(m, m->columns, depth, unit);
  int groups = groups_of(depth);
  size_t decoders = (size_t)IVIT_COLUMNS * (size_t)(w->table != NULL ? 16 : groups);
  m->depth = depth;
  m->packed_size = ivit_round_up(indices_size(m) + decoders, IVIT_ALIGN);
  if (!ivit_matrix_take(arena, m, m->packed_size * (size_t)m->panels)) {
    return 0;
  }
  for (int panel = 0; panel < m->panels; panel++) {
    memset(packed(m, panel), ZERO << 4 | ZERO, indices_size(m));
  }
  for (int c = 0; c < m->columns; c++) {
    uint8_t *to = packed(m, c / IVIT_COLUMNS);
    uint8_t *decoder = to + indices_size(m);
    int column = c % IVIT_COLUMNS;
    for (int k = 0; k < depth; k++) {
      set_index(to, column, k, ivit_index(w, depth, c, k));
    }
    if (w->table != NULL) {
      memcpy(decoder + 16 * column, w->table + 16 * (size_t)c, 16);
      continue;
    }
    for (int i = 0; i < m->absents; i++) {
      set_index(to, column, m->absent[i], ZERO);
    }
    for (int g = 0; g < groups; g++) {
      decoder[g * IVIT_COLUMNS + column] = w->multiplier[(size_t)c * (size_t)groups + (size_t)g];
    }
  }
  return 1;
}

static inline uint8x16_t upper(uint8x16_t v) {
  return vshrq_n_u8(v, 4);
}

static inline uint8x16_t lower(uint8x16_t v) {
  return vandq_u8(v, vdupq_n_u8(0x0F));
}

static inline __attribute__((always_inline)) uint8x16_t decode(
    uint8x16_t index, const uint8_t *decoder, int step, int column, const int tables) {
  if (tables) {
    return vqtbl1q_u8(vld1q_u8(decoder + 16 * column), index);
  }
  int group = step / (IVIT_GROUP / IVIT_STEP_NEON);
  uint8x16_t by = vld1q_dup_u8(decoder + group * IVIT_COLUMNS + column);
  return vmulq_u8(vsubq_u8(index, vdupq_n_u8(ZERO)), by);
}

/* A panel to strips of `unit`, one after the other. */
static inline __attribute__((always_inline)) void decode_panel(
    const struct ivit_matrix *m, int panel, int8_t *to, const int unit, const int tables) {
  const int n = ivit_strip_columns_neon(unit);
  const uint8_t *index = packed(m, panel);
  const uint8_t *decoder = index + indices_size(m);
  size_t strip = ivit_strip_size_neon(m, unit);
  for (int step = 0; step < m->groups; step++, to += n * IVIT_STEP_NEON) {
    uint8x16_t codes[4];
    for (int c = 0; c < IVIT_COLUMNS; c += 2, index += IVIT_STEP_NEON) {
      uint8x16_t two = vld1q_u8(index);
      codes[c % 4] = decode(lower(two), decoder, step, c, tables);
      codes[c % 4 + 1] = decode(upper(two), decoder, step, c + 1, tables);
      if (unit == 16) {
        ivit_interleave_neon(to + (size_t)c * strip, codes + c % 4, unit);
        ivit_interleave_neon(to + (size_t)(c + 1) * strip, codes + c % 4 + 1, unit);
      } else if (unit == 8) {
        ivit_interleave_neon(to + (size_t)(c / 2) * strip, codes + c % 4, unit);
      } else if (c % 4 == 2) {
        ivit_interleave_neon(to + (size_t)(c / 4) * strip, codes, unit);
      }
    }
  }
}

/* Codes of one place along K become zero. */
static void clear_input(const struct ivit_matrix *m, int8_t *panel, int k, int unit) {
  const int n = ivit_strip_columns_neon(unit);
  size_t strip = ivit_strip_size_neon(m, unit);
  int8_t *to = panel + k / IVIT_STEP_NEON * n * IVIT_STEP_NEON
      + k % IVIT_STEP_NEON / unit * IVIT_STEP_NEON + k % unit;
  for (int c = 0; c < IVIT_COLUMNS; c++) {
    to[(size_t)(c / n) * strip + (size_t)(c % n * unit)] = 0;
  }
}

static inline __attribute__((always_inline)) void decode_tables(
    const struct ivit_matrix *m, int panel, int8_t *to, const int unit) {
  decode_panel(m, panel, to, unit, 1);
  for (int i = 0; i < m->absents; i++) {
    clear_input(m, to, m->absent[i], unit);
  }
  for (int k = m->depth; k < m->groups * IVIT_STEP_NEON; k++) {
    clear_input(m, to, k, unit);
  }
}

void ivit_decode_groups_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit) {
  switch (unit) {
    case 16: decode_panel(m, panel, to, 16, 0); break;
    case 8: decode_panel(m, panel, to, 8, 0); break;
    default: decode_panel(m, panel, to, 4, 0); break;
  }
  /* No product of q and a multiplier is -128. */
  *ivit_overflow_neon(m, to, unit) = 0;
}

void ivit_decode_tables_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit) {
  switch (unit) {
    case 16: decode_tables(m, panel, to, 16); break;
    case 8: decode_tables(m, panel, to, 8); break;
    default: decode_tables(m, panel, to, 4); break;
  }
  /* Any entry may meet itself. */
  const uint8_t *tables = packed(m, panel) + indices_size(m);
  *ivit_overflow_neon(m, to, unit) = memchr(tables, 0x80, 16 * IVIT_COLUMNS) != NULL;
}
