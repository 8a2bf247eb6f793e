/* The exact integer square root. */
#pragma once

#include "platform.cuh"

namespace ivit {

/*
 * floor(sqrt(v)) for v < 2^62: Newton's reciprocal square root of v scaled to [1/4, 1), with 30
 * fractional bits, whose relative error of some 2^-28 leaves the root at most 1 off below 2^47 and
 * a few beyond, then a correction by the square, which alone makes it exact.
 */
IVIT_DEVICE uint32_t square_root(uint64_t v) {
  if (v == 0) {
    return 0;
  }
  int zeros = leading_zeros(v) & ~1;
  uint32_t scaled = (uint32_t)((v << zeros) >> 32);
  /* 2.2 - 1.3 x: at most a tenth off. A step takes an error e to about 3/2 e^2. */
  uint32_t y = 2362232013u - multiply_high(scaled, 1395864371u);
  for (int i = 0; i < 4; i++) {
    uint32_t square = (uint32_t)(((uint64_t)multiply_high(scaled, y) * y) >> 30);
    y = (uint32_t)(((uint64_t)y * (3221225472u - square)) >> 31);
  }
  uint64_t root = (((uint64_t)scaled * y) >> 30) >> (zeros / 2);
  while (root * root > v) {
    root--;
  }
  while ((root + 1) * (root + 1) <= v) {
    root++;
  }
  return (uint32_t)root;
}

}  // namespace ivit
