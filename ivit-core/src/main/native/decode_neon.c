/*
 * Indices in strips, in vectors of 16 (indices.h): vector 32 s + c has sixteen places along K, from 16 s on,
 * of column c. Behind them the tables of a panel, [32 columns][2^bits], or multipliers, [depth / 32]
 * [32 columns].
 */
#include "indices.h"
#include "lanes_neon.h"
#include "neon.h"
#include "pack.h"

#include <string.h>

enum {
  VECTOR = IVIT_STEP_NEON,
  EIGHT = 8, /* columns, whose fields are whole bytes */
  ZERO = 8   /* the index of a code of zero, by multipliers of 4 bits */
};

/* How indices decode. */
enum coding { GROUPS /* of 4 bits */, WIDE_GROUPS, TABLES };

static size_t indices_of(const struct ivit_matrix *m) {
  return (size_t)m->groups * VECTOR * IVIT_COLUMNS;
}

static int groups_of(int depth) {
  return (depth + IVIT_GROUP - 1) / IVIT_GROUP;
}

static uint8_t *packed(const struct ivit_matrix *m, int panel) {
  return (uint8_t *)m->data + (size_t)panel * m->packed_size;
}

static uint8_t *decoders(const struct ivit_matrix *m, int panel) {
  return packed(m, panel) + ivit_indices_size(indices_of(m), m->bits);
}

/* What lies in memory for an index. */
static int stored(const struct ivit_indices *w, int index) {
  return w->table == NULL && w->bits > 4 ? ivit_number_of(index, w->bits) : index;
}

/* Indices of a column; absent inputs and those that fill a step are zeros, of tables anything. */
static void pack_column(
    const struct ivit_matrix *m, const struct ivit_indices *w, int column, uint8_t *to) {
  for (int k = 0, absent = 0; k < m->groups * VECTOR; k++) {
    int index = 1 << (w->bits - 1);
    if (absent < m->absents && m->absent[absent] == k) {
      absent++;
    } else if (k < m->depth) {
      index = ivit_index(w, m->depth, column, k);
    }
    ivit_set_index(
        to, indices_of(m), VECTOR, w->bits,
        (size_t)(k / VECTOR * IVIT_COLUMNS + column % IVIT_COLUMNS), k % VECTOR,
        stored(w, index));
  }
}

int ivit_pack_indices_neon(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth,
    int unit) {
  ivit_shape_neon(m, m->columns, depth, unit);
  size_t entries = (size_t)1 << w->bits;
  size_t of_column = w->table != NULL ? entries : (size_t)groups_of(depth);
  m->bits = w->bits;
  m->shift = w->shift;
  m->depth = depth;
  m->packed_size = ivit_round_up(
      ivit_indices_size(indices_of(m), m->bits) + IVIT_COLUMNS * of_column, IVIT_ALIGN);
  if (!ivit_matrix_take(arena, m, m->packed_size * (size_t)m->panels)) {
    return 0;
  }
  memset(m->data, 0, m->packed_size * (size_t)m->panels);
  for (int c = 0; c < m->columns; c++) {
    uint8_t *decoder = decoders(m, c / IVIT_COLUMNS);
    int column = c % IVIT_COLUMNS;
    pack_column(m, w, c, packed(m, c / IVIT_COLUMNS));
    if (w->table != NULL) {
      memcpy(decoder + entries * (size_t)column, w->table + entries * (size_t)c, entries);
      continue;
    }
    for (int k = 0; k < depth; k += IVIT_GROUP) {
      decoder[k + column] = (uint8_t)ivit_multiplier(w, depth, c, k);
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

/* The field of a vector that lies `down` bits up, from bit `to` on. */
static inline uint8x16_t field_of(uint8x16_t fields, int bits, int down, int to) {
  uint8x16_t field = vshlq_u8(fields, vdupq_n_s8((int8_t)-down));
  field = vandq_u8(field, vdupq_n_u8((uint8_t)((1 << (bits - 4)) - 1)));
  return vshlq_u8(field, vdupq_n_s8((int8_t)to));
}

/* Sixteen numbers q * 2^(8 - bits) times a multiplier, by one rounding shift. */
static inline uint8x16_t rounded(uint8x16_t numbers, uint8_t multiplier, int16x8_t down) {
  int8x16_t q = vreinterpretq_s8_u8(numbers);
  int8x8_t by = vdup_n_s8((int8_t)multiplier);
  int16x8_t first = vrshlq_s16(vmull_s8(vget_low_s8(q), by), down);
  int16x8_t second = vrshlq_s16(vmull_s8(vget_high_s8(q), by), down);
  return vreinterpretq_u8_s8(vmovn_high_s16(vmovn_s16(first), second));
}

/* Entries of a column's table. */
static inline uint8x16_t entries_of(const uint8_t *table, uint8x16_t index, const int bits) {
  if (bits == 4) {
    return vqtbl1q_u8(vld1q_u8(table), index);
  }
  uint8x16x2_t two = {{vld1q_u8(table), vld1q_u8(table + 16)}};
  return vqtbl2q_u8(two, index);
}

/* A panel to strips of `unit`, one after the other. */
static inline __attribute__((always_inline)) void decode_panel(
    const struct ivit_matrix *m, int panel, int8_t *to, const int unit, const enum coding coding,
    const int bits) {
  const int n = ivit_strip_columns_neon(unit);
  const uint8_t *index = packed(m, panel);
  const uint8_t *fields = ivit_fields_of(index, indices_of(m));
  const uint8_t *decoder = decoders(m, panel);
  const int16x8_t down = vdupq_n_s16((int16_t)-(8 - bits + m->shift));
  size_t strip = ivit_strip_size_neon(m, unit);
  for (int step = 0; step < m->groups; step++, to += n * VECTOR) {
    const uint8_t *multiplier = decoder + step / (IVIT_GROUP / VECTOR) * IVIT_COLUMNS;
    uint8x16_t codes[4], two = vdupq_n_u8(0), of_bytes = two;
    for (int first = 0; first < IVIT_COLUMNS; first += EIGHT) {
      IVIT_UNROLL
      for (int i = 0; i < EIGHT; i++) {
        int c = first + i;
        if (i % 2 == 0) {
          two = vld1q_u8(index);
          index += VECTOR;
        }
        const int field = bits == 4 ? 0 : i % ivit_fields(bits);
        if (bits > 4 && field == 0) {
          of_bytes = vld1q_u8(fields);
          fields += VECTOR;
        }
        const int at = (bits - 4) * field;
        uint8x16_t low = i % 2 == 0 ? lower(two) : upper(two);
        if (coding == GROUPS) {
          low = vsubq_u8(low, vdupq_n_u8(ZERO));
          codes[i % 4] = vmulq_u8(low, vld1q_dup_u8(multiplier + c));
        } else if (coding == WIDE_GROUPS) {
          uint8x16_t field_bits = field_of(of_bytes, bits, at, 8 - bits);
          codes[i % 4] = rounded(vorrq_u8(vshlq_n_u8(low, 4), field_bits), multiplier[c], down);
        } else {
          low = bits == 4 ? low : vorrq_u8(low, field_of(of_bytes, bits, at, 4));
          codes[i % 4] = entries_of(decoder + (c << bits), low, bits);
        }
        if (unit == 16) {
          ivit_interleave_neon(to + (size_t)c * strip, codes + i % 4, unit);
        } else if (unit == 8 && i % 2 == 1) {
          ivit_interleave_neon(to + (size_t)(c / 2) * strip, codes + i % 4 - 1, unit);
        } else if (unit == 4 && i % 4 == 3) {
          ivit_interleave_neon(to + (size_t)(c / 4) * strip, codes, unit);
        }
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

/* One loop a unit and width, which are then constants. */
static inline __attribute__((always_inline)) void decode_units(
    const struct ivit_matrix *m, int panel, int8_t *to, int unit, const enum coding coding,
    const int bits) {
  switch (unit) {
    case 16: decode_panel(m, panel, to, 16, coding, bits); break;
    case 8: decode_panel(m, panel, to, 8, coding, bits); break;
    default: decode_panel(m, panel, to, 4, coding, bits); break;
  }
}

void ivit_decode_groups_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit) {
  decode_units(m, panel, to, unit, GROUPS, 4);
  /* No product of q and a multiplier is -128. */
  *ivit_overflow_neon(m, to, unit) = 0;
}

void ivit_decode_wide_groups_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit) {
  if (m->bits == 5) {
    decode_units(m, panel, to, unit, WIDE_GROUPS, 5);
  } else {
    decode_units(m, panel, to, unit, WIDE_GROUPS, 6);
  }
  *ivit_overflow_neon(m, to, unit) = 0;
}

void ivit_decode_tables_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit) {
  if (m->bits == 4) {
    decode_units(m, panel, to, unit, TABLES, 4);
  } else {
    decode_units(m, panel, to, unit, TABLES, 5);
  }
  for (int i = 0; i < m->absents; i++) {
    clear_input(m, to, m->absent[i], unit);
  }
  for (int k = m->depth; k < m->groups * VECTOR; k++) {
    clear_input(m, to, k, unit);
  }
  /* Any entry may meet itself. */
  size_t entries = (size_t)IVIT_COLUMNS << m->bits;
  *ivit_overflow_neon(m, to, unit) = memchr(decoders(m, panel), 0x80, entries) != NULL;
}
