/*
 * Relative position biases as the scores' kernels read them. A query's bias by a key of the grid is
 * one of its column, of the key's, and of how many rows lie between them; so for each column of the
 * query all rows of keys that may lie above or below it are kept one after the other, [2 rows -
 * 1][columns], and the biases of a query are a run of them, which begins where the query's row says.
 */
#ifndef IVIT_WINDOW_H
#define IVIT_WINDOW_H

#include "requantize.h"

enum { IVIT_BIAS_SPARE = 64 /* elements before and behind all runs, which vectors may reach */ };

/* Where the bias by the first key lies; that by a leading token is not there, but next to it. */
static inline size_t ivit_bias_at(const struct ivit_window *w, int head, int query) {
  return (size_t)head * w->of_head + w->begin[query];
}

/* The biased score of a leading token, of which `code` is the score. */
static inline uint8_t ivit_biased_leading(
    const struct ivit_window *w, int head, int query, uint8_t code, uint8_t zero) {
  int32_t bias = w->leading_bias[2 * head + (query == 0)];
  return (uint8_t)(ivit_clamp(w->score[code] + bias, -128, 127) + zero);
}

#endif
