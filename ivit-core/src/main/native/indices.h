/*
 * Indices of 4 to 6 bits in memory, in vectors of some width. Lower four bits: [vectors / 2][width], a byte
 * having those of a vector and, in its upper half, of the next. What is above them, as fields of one or two
 * bits: behind these, [vectors / fields][width], the first vector's field lowest. Vectors are whole fields.
 */
#ifndef IVIT_INDICES_H
#define IVIT_INDICES_H

#include "ivit.h"

/* Fields of a byte; only where there are more than 4 bits. */
static inline int ivit_fields(int bits) {
  return 8 / (bits - 4);
}

/* Bytes of so many indices. */
static inline size_t ivit_indices_size(size_t count, int bits) {
  return count * (size_t)bits / 8;
}

/* The fields behind the lower bits of so many indices. */
static inline const uint8_t *ivit_fields_of(const uint8_t *indices, size_t count) {
  return indices + count / 2;
}

/* Index `at` of a vector, in memory that is zero; `count` indices of `bits` bits lie there. */
static inline void ivit_set_index(
    uint8_t *indices, size_t count, int width, int bits, size_t vector, int at, int index) {
  size_t w = (size_t)width, i = (size_t)at;
  indices[vector / 2 * w + i] |= (uint8_t)((index & 0x0F) << 4 * (vector % 2));
  if (bits > 4) {
    size_t fields = (size_t)ivit_fields(bits);
    indices[count / 2 + vector / fields * w + i] |=
        (uint8_t)(index >> 4 << (size_t)(bits - 4) * (vector % fields));
  }
}

static inline int ivit_get_index(
    const uint8_t *indices, size_t count, int width, int bits, size_t vector, int at) {
  size_t w = (size_t)width, i = (size_t)at;
  int index = indices[vector / 2 * w + i] >> 4 * (vector % 2) & 0x0F;
  if (bits > 4) {
    size_t fields = (size_t)ivit_fields(bits);
    int field = indices[count / 2 + vector / fields * w + i]
        >> (size_t)(bits - 4) * (vector % fields);
    index |= (field & ((1 << (bits - 4)) - 1)) << 4;
  }
  return index;
}

/*
 * What stands for the number q = index - 2^(bits - 1) of weights with multipliers of more than 4 bits: the
 * upper four bits of q where an index has its lower ones, its lowest ones where that has its upper ones. So
 * a code of zero is 0, and both parts in a byte are q * 2^(8 - bits).
 */
static inline int ivit_number_of(int index, int bits) {
  int q = index ^ 1 << (bits - 1), low = bits - 4;
  return q >> low | (q & ((1 << low) - 1)) << 4;
}

static inline int ivit_number(int stands, int bits) {
  return (int8_t)((stands & 0x0F) << 4 | stands >> 4 << (8 - bits)) >> (8 - bits);
}

#endif
