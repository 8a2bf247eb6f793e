/* How a product runs on AVX2: docs/arithmetic.md#sixteen-bits-that-hold. */
#ifndef IVIT_PLAN_AVX2_H
#define IVIT_PLAN_AVX2_H

#include "ivit.h"

enum {
  IVIT_BLOCK_AVX2 = 8,   /* columns of a block */
  IVIT_VECTOR_AVX2 = 32, /* weights of a vector: [8 columns][4 neighbours along K] */
  IVIT_RUN_AVX2 = 64     /* two vectors, whose products are added in 16 bits */
};

/* The kinds of runs, in the order in which a block takes them. */
enum {
  IVIT_OFFSET_AVX2,  /* of offset codes, whose sums hold as they are */
  IVIT_CENTRED_AVX2, /* of offset codes, whose sums hold once a number is added to each */
  IVIT_SIGN_AVX2,    /* of magnitudes, their weights taking the sign */
  IVIT_KINDS_AVX2
};

/*
 * The runs of a block. Each is two vectors of weights and the places along K of the codes that they
 * meet.
 */
struct ivit_block_avx2 {
  int runs[IVIT_KINDS_AVX2];
  const int8_t *weights;
  const int32_t *places;  /* [runs][2] */
  const int16_t *centres; /* [centred runs][16], what each sum takes on */
  /*
   * What the sums of all runs lack of a product of stored codes: 128 times the weights of sign
   * runs, less the centres.
   */
  int32_t lack[IVIT_BLOCK_AVX2];
};

/*
 * The planes of an arranged row: offset codes with each four neighbours in every order that pairs
 * them otherwise, magnitudes, codes.
 */
enum {
  IVIT_ORDERS_AVX2 = 3,
  IVIT_MAGNITUDES_AVX2 = IVIT_ORDERS_AVX2,
  IVIT_CODES_AVX2,
  IVIT_PLANES_AVX2
};

/* Bytes from one plane to the next. */
static inline size_t ivit_plane_avx2(int groups) {
  return ivit_round_up(4 * (size_t)groups, IVIT_ALIGN);
}

/* Packs [columns][depth] into runs; panels are 32 columns, so four blocks. */
int ivit_pack_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth);

/*
 * Weights with tables, in the same runs. A panel decodes to its four blocks, with their weights and centres
 * behind them. Where a code is -128, which no sign can be taken of, weights are packed as such.
 */
int ivit_pack_tables_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth);
void ivit_decode_tables_runs_avx2(const struct ivit_matrix *m, int panel, int8_t *to);

/*
 * Weights of 4 bits with multipliers, packed as decode_dot.c does. A panel decodes to [depth / 32]
 * groups: numbers from -8 to 7 in groups of four along K, [8][32 columns][4], and the multipliers of
 * their columns in 16 bits, [32 columns][2].
 */
enum {
  IVIT_GROUP_AVX2 = IVIT_GROUP * IVIT_COLUMNS + 2 * IVIT_COLUMNS * (int)sizeof(int16_t), /* bytes */
  IVIT_GROUP_ROWS_AVX2 = 4 /* whose sums are registers */
};

int ivit_pack_groups_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth);
void ivit_decode_numbers_avx2(const struct ivit_matrix *m, int panel, int8_t *to);

/* Products of at most IVIT_GROUP_ROWS_AVX2 rows with a decoded panel, added to out[row][32]. */
void ivit_add_groups_avx2(
    const uint8_t *x, size_t ldx, int rows, const struct ivit_matrix *m, int32_t *out);

#endif
