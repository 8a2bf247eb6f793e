/* Constants in the form that the kernels read. */
#ifndef IVIT_PACK_H
#define IVIT_PACK_H

#include "ivit.h"

/*
 * Dyadic multipliers below this shift, ratios above 2^22, would need more than one shift of the
 * accumulator; a graph that has one is left to another engine.
 */
enum { IVIT_LEAST_SHIFT = 8, IVIT_LEAST_CODE_SHIFT = 17 };

/* A matrix of so many columns, which nothing is packed into yet. */
void ivit_matrix_columns(struct ivit_matrix *m, int columns);

/* Bytes that hold a matrix of two bytes a code, in panels and whole groups. */
size_t ivit_matrix_room(int columns, int depth);

/* Memory for its data, what it has where that is enough; 0 where there is none. */
int ivit_matrix_take(struct ivit_arena *arena, struct ivit_matrix *m, size_t bytes);

/* Constants of `columns` multipliers; 0 where one is refused. */
int ivit_requant_set(
    struct ivit_arena *arena, struct ivit_requant *q, const int32_t *multiplier,
    const uint8_t *shift, int columns);

/* The multiplier of 16-bit codes; 0 where it is refused. */
int ivit_dyadic_set(struct ivit_dyadic *d, int32_t multiplier, int shift);

/* What a linear layer has besides its weights. */
struct ivit_layer {
  int inputs;
  int outputs;
  const int32_t *bias;
  const int32_t *outlier; /* channels of the inputs, ascending */
  int outliers;
  int shift; /* of their sums */
  const int32_t *multiplier;
  const uint8_t *exponent;
  int logits; /* whose multipliers stay as they are */
};

/*
 * A linear layer for kernels from weight codes [outputs][inputs], or from indices. Null where a
 * multiplier is refused or memory is short.
 */
struct ivit_linear *ivit_linear_new(
    const struct ivit_kernels *k, struct ivit_arena *arena, const int8_t *weight,
    const struct ivit_layer *of);
struct ivit_linear *ivit_linear_of_indices(
    const struct ivit_kernels *k, struct ivit_arena *arena, const struct ivit_indices *w,
    const struct ivit_layer *of);

/* The code that an index stands for. */
int8_t ivit_code_of(const struct ivit_indices *w, int inputs, int output, int input);

/* Other weights and biases of the same sizes, for the same kernels; 0 where memory is short. */
int ivit_linear_pack(
    const struct ivit_kernels *k, struct ivit_arena *arena, struct ivit_linear *l,
    const int8_t *weight, const int32_t *bias);

struct ivit_norm *ivit_norm_new(
    struct ivit_arena *arena, const int32_t *multiplier, const int64_t *offset, int channels,
    int shift, uint64_t epsilon);

/*
 * GELU of `channels`, codes being stored with `zero`, from tables of final codes by code + 128;
 * outlier channels may be none.
 */
struct ivit_gelu *ivit_gelu_new(
    uint8_t zero, struct ivit_arena *arena, int by_row, const int8_t *table,
    const int8_t *outlier_table, const int32_t *outlier, int outliers, int channels);

/*
 * Turns of `heads` heads from cosines and sines [tokens][head_dim] of channels in the order of
 * struct ivit_turns: channel c becomes cos[c] times itself and sin[c] times its neighbour.
 */
struct ivit_turns *ivit_turns_new(
    struct ivit_arena *arena, const int16_t *cos, const int16_t *sin, int tokens, int heads,
    int head_dim);

/* Null where the multiplier is refused or memory is short. */
struct ivit_rotation *ivit_rotation_new(
    struct ivit_arena *arena, const struct ivit_turns *turns, int32_t multiplier, uint8_t shift);

/* Gates stored with `zero`; a table by code + 128. Null as above. */
struct ivit_gating *ivit_gating_new(
    uint8_t zero, struct ivit_arena *arena, const int16_t *table, const int32_t *multiplier,
    const uint8_t *shift, int channels);

void ivit_softmax_set(
    struct ivit_softmax *softmax, const int32_t *exponentials, int32_t rounding, int bits,
    int deferred);

/* The grid of a window, and how many tokens, 0 or 1, stand before it. */
struct ivit_grid {
  int rows;
  int columns;
  int leading;
};

/*
 * Scores of windows, stored with `zero`: requantized score by code + 128, requantized biases in the
 * order of the graph's table, [relative position][heads], and masks [windows][query][words], of
 * which those of unmasked windows are all zero.
 */
struct ivit_window *ivit_window_new(
    uint8_t zero, struct ivit_arena *arena, const int32_t *score, const int32_t *table, int heads,
    struct ivit_grid grid, const uint64_t *masks, int windows);

#endif
