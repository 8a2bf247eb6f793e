/*
 * A tile kernel with one function for each number of rows, so that the rows' accumulators are
 * registers. Of an always_inline NAME_of, whose first parameter is that number and whose others are
 * those of ivit_height, IVIT_TILE_BY_HEIGHT(NAME, MOST) makes the ivit_tile NAME of up to MOST rows.
 */
#ifndef IVIT_HEIGHTS_H
#define IVIT_HEIGHTS_H

#include "ivit.h"

typedef void ivit_height(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, const struct ivit_operand *w,
    int panel, int32_t *out);

#define IVIT_UP_TO_4(EACH, name) EACH(name, 1) EACH(name, 2) EACH(name, 3) EACH(name, 4)
#define IVIT_UP_TO_6(EACH, name) IVIT_UP_TO_4(EACH, name) EACH(name, 5) EACH(name, 6)
#define IVIT_UP_TO_8(EACH, name) IVIT_UP_TO_6(EACH, name) EACH(name, 7) EACH(name, 8)
#define IVIT_UP_TO_12(EACH, name) \
  IVIT_UP_TO_8(EACH, name) EACH(name, 9) EACH(name, 10) EACH(name, 11) EACH(name, 12)

#define IVIT_OF_HEIGHT(name, rows)                                                         \
  static __attribute__((noinline)) void name##_##rows(                                     \
      const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh,                       \
      const struct ivit_operand *w, int panel, int32_t *out) {                             \
    name##_of(rows, x, ldx, high, ldh, w, panel, out);                                     \
  }
#define IVIT_NAME_OF_HEIGHT(name, rows) name##_##rows,

#define IVIT_TILE_BY_HEIGHT(name, most)                                                    \
  IVIT_UP_TO_##most(IVIT_OF_HEIGHT, name)                                                  \
  static void name(                                                                        \
      const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,             \
      const struct ivit_operand *w, int panel, int32_t *acc) {                             \
    static ivit_height *const heights[] = {IVIT_UP_TO_##most(IVIT_NAME_OF_HEIGHT, name)};  \
    heights[rows - 1](x, ldx, high, ldh, w, panel, acc);                                   \
  }

#endif
