/* How a product runs on AVX2: docs/arithmetic.md#sixteen-bits-that-hold. */
#ifndef IVIT_PLAN_AVX2_H
#define IVIT_PLAN_AVX2_H

#include "ivit.h"

enum {
  IVIT_BLOCK_AVX2 = 8,   /* columns of a block */
  IVIT_VECTOR_AVX2 = 32, /* weights of a vector: [8 columns][4 neighbours along K] */
  IVIT_RUN_AVX2 = 64     /* two vectors, whose products are added in 16 bits */
};

/*
 * The runs of a block in the order in which they are taken. Each is two vectors of weights and the
 * places along K of the codes that they meet.
 */
struct ivit_block_avx2 {
  int offset_runs; /* of offset codes */
  int sign_runs;   /* then of magnitudes, their weights taking the sign */
  const int8_t *weights;
  const int32_t *places; /* [runs][2] */
  /* What sign runs lack of a product of stored codes: 128 times the sum of their weights. */
  int32_t lack[IVIT_BLOCK_AVX2];
};

/* Bytes from one plane of an arranged row to the next: offset codes, magnitudes, codes. */
static inline size_t ivit_plane_avx2(int groups) {
  return ivit_round_up(4 * (size_t)groups, IVIT_ALIGN);
}

/* Packs [columns][depth] into runs; panels are 32 columns, so four blocks. */
int ivit_pack_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth);

#endif
