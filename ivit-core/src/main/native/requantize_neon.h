/* Requantization of accumulators on NEON. */
#ifndef IVIT_REQUANTIZE_NEON_H
#define IVIT_REQUANTIZE_NEON_H

#include "ivit.h"
#include "lanes_neon.h"

/* The multipliers of four columns. */
struct ivit_multipliers_neon {
  int32x4_t multiplier, down, limit, prescale;
};

static inline __attribute__((always_inline)) struct ivit_multipliers_neon ivit_multipliers_neon(
    const struct ivit_requant *q, int column, const int prescaled) {
  struct ivit_multipliers_neon m;
  m.multiplier = vld1q_s32(q->multiplier + column);
  m.down = ivit_down_neon(vld1q_s32(q->shift + column));
  m.limit = prescaled ? vld1q_s32(q->limit + column) : m.down;
  m.prescale = prescaled ? vld1q_s32(q->prescale + column) : m.down;
  return m;
}

/* The first multiplier for all lanes. */
static inline struct ivit_multipliers_neon ivit_first_multiplier_neon(
    const struct ivit_requant *q) {
  struct ivit_multipliers_neon m = {
      vdupq_n_s32(q->multiplier[0]), ivit_down_neon(vdupq_n_s32(q->shift[0])),
      vdupq_n_s32(q->limit[0]), vdupq_n_s32(q->prescale[0])};
  return m;
}

static inline __attribute__((always_inline)) int32x4_t ivit_requantize_neon(
    int32x4_t z, const struct ivit_multipliers_neon *m, const int prescaled) {
  if (prescaled) {
    z = vmaxq_s32(vminq_s32(z, m->limit), vnegq_s32(m->limit));
    z = vshlq_s32(z, m->prescale);
  }
  return ivit_upper_neon(z, m->multiplier, m->down);
}

#endif
