/* Scalar requantization (docs/arithmetic.md#requantization): ties go up. */
#ifndef IVIT_REQUANTIZE_H
#define IVIT_REQUANTIZE_H

#include "ivit.h"

static inline int32_t ivit_clamp(int32_t v, int32_t low, int32_t high) {
  return v < low ? low : v > high ? high : v;
}

static inline int32_t ivit_upper(int32_t z, int32_t m, int32_t half, int32_t shift) {
  return ((int32_t)(((int64_t)z * m) >> 32) + half) >> shift;
}

/* Column c; exact after a clamp to 8 or 16 bits. */
static inline int32_t ivit_requantize(int32_t z, const struct ivit_requant *q, int c) {
  int32_t limit = q->limit[c];
  int32_t scaled = (int32_t)((uint32_t)ivit_clamp(z, -limit, limit) << q->prescale[c]);
  return ivit_upper(scaled, q->multiplier[c], q->half[c], q->shift[c]);
}

/* A 16-bit code. */
static inline int32_t ivit_dyadic_apply(int32_t z, const struct ivit_dyadic *d) {
  int32_t scaled = (int32_t)((uint32_t)z << d->prescale);
  return ivit_upper(scaled, d->multiplier, d->half, d->shift);
}

#endif
