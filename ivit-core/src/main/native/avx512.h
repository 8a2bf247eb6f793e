/* Row kernels on AVX-512 (F, BW, VL, DQ, VBMI), which both VNNI and AMX use. */
#ifndef IVIT_AVX512_H
#define IVIT_AVX512_H

#include "ivit.h"

/* Panels of decode_dot.c to codes. */
void ivit_decode_groups_avx512(const struct ivit_matrix *m, int panel, int8_t *to);
void ivit_decode_wide_groups_avx512(const struct ivit_matrix *m, int panel, int8_t *to);
void ivit_decode_tables_avx512(const struct ivit_matrix *m, int panel, int8_t *to);

void ivit_to8_avx512(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out);
void ivit_add16_avx512(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out);
void ivit_turn8_avx512(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out);
void ivit_gate8_avx512(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *out);
void ivit_gate16_avx512(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out);
void ivit_norm_avx512(const int16_t *x, const struct ivit_norm *norm, uint8_t *out);
void ivit_norm16_avx512(const int16_t *x, const struct ivit_norm *norm, int16_t *out);
void ivit_bias_avx512(uint8_t *scores, const struct ivit_window *window, int head, int query);
void ivit_normalise_avx512(int32_t *acc, int rows, const int32_t *factor);
int32_t ivit_softmax_avx512(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane);

#endif
