/* Constants in the form that the kernels read. */
#ifndef IVIT_PACK_H
#define IVIT_PACK_H

#include "ivit.h"

/*
 * Dyadic multipliers below this shift, ratios above 2^22, would need more than one shift of the
 * accumulator; a graph that has one is left to another engine.
 */
enum { IVIT_LEAST_SHIFT = 8, IVIT_LEAST_CODE_SHIFT = 17 };

/* Room for a packed matrix of `depth` rows along K. */
void ivit_matrix_shape(struct ivit_matrix *m, int columns, int depth);

/* Constants of `columns` multipliers; 0 where one is refused. */
int ivit_requant_set(
    struct ivit_arena *arena, struct ivit_requant *q, const int32_t *multiplier,
    const uint8_t *shift, int columns);

/* The multiplier of 16-bit codes; 0 where it is refused. */
int ivit_dyadic_set(struct ivit_dyadic *d, int32_t multiplier, int shift);

/*
 * A linear layer from weight codes [outputs][inputs] and biases; outlier channels ascend. Null
 * where a multiplier is refused or memory is short. Logits keep their multipliers as they are.
 */
struct ivit_linear *ivit_linear_new(
    struct ivit_arena *arena, const int8_t *weight, int inputs, int outputs, const int32_t *bias,
    const int32_t *outlier, int outliers, int shift, const int32_t *multiplier,
    const uint8_t *exponent, int logits);

/* Other weights and biases of the same sizes. */
void ivit_linear_pack(struct ivit_linear *l, const int8_t *weight, const int32_t *bias);

struct ivit_norm *ivit_norm_new(
    struct ivit_arena *arena, const int32_t *multiplier, const int64_t *offset, int channels,
    int shift);

/* GELU of `channels` from tables of final codes by code + 128; outlier channels may be none. */
struct ivit_gelu *ivit_gelu_new(
    struct ivit_arena *arena, int by_row, const int8_t *table, const int8_t *outlier_table,
    const int32_t *outlier, int outliers, int channels);

void ivit_softmax_set(
    struct ivit_softmax *softmax, const int32_t *exponentials, int32_t rounding, int bits,
    int deferred);

/*
 * Scores of windows: requantized score by code + 128, requantized biases [heads][query][key], and
 * masks [windows][query][words], of which those of unmasked windows are all zero.
 */
struct ivit_window *ivit_window_new(
    struct ivit_arena *arena, const int32_t *score, const int32_t *bias, int heads, int tokens,
    const uint64_t *masks, int windows);

#endif
