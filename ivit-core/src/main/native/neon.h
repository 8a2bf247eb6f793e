/*
 * Kernels on NEON, which every set for ARM64 uses. Codes are stored as they are, with 0 for zero.
 *
 * A right operand is packed in strips of a few columns: [columns / n][K / unit][n][unit], where n *
 * unit codes are the 16 bytes that an instruction takes. K is padded to whole steps with zeros.
 *
 *              unit   n
 *   neon        16    1
 *   dotprod      4    4
 *   i8mm         8    2
 */
#ifndef IVIT_NEON_H
#define IVIT_NEON_H

#include "ivit.h"

enum { IVIT_STEP_NEON = 16 /* codes along K that a row is read by */ };

static inline int ivit_strip_columns_neon(int unit) {
  return 16 / unit;
}

/* Bytes from one strip of a matrix to the next. */
static inline size_t ivit_strip_size_neon(const struct ivit_matrix *m, int unit) {
  return ivit_stride(
      (size_t)m->groups * IVIT_STEP_NEON * (size_t)ivit_strip_columns_neon(unit));
}

/* Strips of so many columns, for what is packed next. */
void ivit_shape_neon(struct ivit_matrix *m, int columns, int depth, int unit);

/* Weights, and keys of a head, in strips; groups of the matrix are steps. */
int ivit_pack_neon(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth, int unit);
void ivit_pack_keys_neon(const struct ivit_head *head, struct ivit_operand *keys, int unit);

/* Weights that are kept as indices, and a panel of them decoded to strips. */
int ivit_pack_indices_neon(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth,
    int unit);
void ivit_decode_groups_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit);
void ivit_decode_wide_groups_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit);
void ivit_decode_tables_neon(const struct ivit_matrix *m, int panel, int8_t *to, int unit);

/*
 * Indices of a set whose strips have this unit: its `tables`, `groups` and `wide_groups`, of the tile of that
 * name.
 */
#define IVIT_DECODING_NEON(unit)                                                               \
  static int pack_indices(                                                                     \
      struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w,           \
      int depth) {                                                                             \
    return ivit_pack_indices_neon(arena, m, w, depth, unit);                                   \
  }                                                                                            \
  static void decode_groups(const struct ivit_matrix *m, int panel, int8_t *to) {              \
    ivit_decode_groups_neon(m, panel, to, unit);                                               \
  }                                                                                            \
  static void decode_wide_groups(const struct ivit_matrix *m, int panel, int8_t *to) {         \
    ivit_decode_wide_groups_neon(m, panel, to, unit);                                          \
  }                                                                                            \
  static void decode_tables(const struct ivit_matrix *m, int panel, int8_t *to) {              \
    ivit_decode_tables_neon(m, panel, to, unit);                                               \
  }                                                                                            \
  static const struct ivit_decoding tables = {pack_indices, decode_tables, tile, ROWS, 0};     \
  static const struct ivit_decoding groups = {pack_indices, decode_groups, tile, ROWS, 0};     \
  static const struct ivit_decoding wide_groups = {                                            \
      pack_indices, decode_wide_groups, tile, ROWS, 0};

/*
 * Values for probabilities in planes (softmax_neon.c), in strips. Lower bytes are stored less 128,
 * which the bias gives back: 128 times the sum of a column.
 */
void ivit_pack_values_planes_neon(
    const struct ivit_head *head, int bits, struct ivit_operand *values, int unit);

/* Values for probabilities of 16 bits: [tokens][32 columns] of 16 bits; groups are tokens. */
void ivit_pack_values_words_neon(
    const struct ivit_head *head, int bits, struct ivit_operand *values);

/*
 * Whether a panel in strips of unit 16 has a pair of places whose products meet in 16 bits and
 * whose codes are both -128, so that their sum may be 2 * 128 * 128 = 2^15: one too many. Any other
 * pair stays within 128 * 128 + 128 * 127 < 2^15.
 */
int ivit_overflows_neon(const struct ivit_matrix *m, int panel);

/* Where it says so in the memory of a panel, behind its strips. */
static inline int8_t *ivit_overflow_neon(const struct ivit_matrix *m, int8_t *panel, int unit) {
  return panel + (size_t)(IVIT_COLUMNS / ivit_strip_columns_neon(unit)) * ivit_strip_size_neon(m, unit);
}

void ivit_to8_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out);
void ivit_add16_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out);
void ivit_turn8_neon(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out);
void ivit_gate8_neon(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *out);
void ivit_gate16_neon(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out);
void ivit_norm_neon(const int16_t *x, const struct ivit_norm *norm, uint8_t *out);
void ivit_norm16_neon(const int16_t *x, const struct ivit_norm *norm, int16_t *out);
void ivit_bias_neon(uint8_t *scores, const struct ivit_window *window, int head, int query);
void ivit_normalise_neon(int32_t *acc, int rows, const int32_t *factor);

/* Probabilities as 16-bit numbers in order. */
int32_t ivit_softmax_words_neon(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane);

/* Lower bytes less 128 at `out`, upper bytes at out + plane: both signed. */
int32_t ivit_softmax_planes_neon(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane);

#endif
