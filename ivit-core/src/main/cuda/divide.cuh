/* Exact integer quotients without a division instruction. */
#pragma once

#include "platform.cuh"

namespace ivit {

/*
 * A divisor d known to the host: floor(n / d) = n * multiplier >> shift for 0 <= n < 2^31, with
 * shift = 31 + ceil(log2 d) and multiplier = ceil(2^shift / d).
 */
struct Divisor {
  uint32_t multiplier;
  uint32_t shift;
};

IVIT_DEVICE uint32_t divide(uint32_t n, const Divisor &d) {
  return (uint32_t)(((uint64_t)n * d.multiplier) >> d.shift);
}

/*
 * floor((2^31 - 1) / d) for 1 <= d < 2^31: Newton's reciprocal of d scaled to [1/2, 1), with 30
 * fractional bits, then a correction by the remainder, which alone makes it exact.
 */
IVIT_DEVICE uint32_t divide_most(uint32_t d) {
  const uint32_t most = 0x7fffffffu;
  int zeros = leading_zeros(d);
  uint32_t scaled = d << zeros;
  /* 48/17 - 32/17 x: at most 1/17 off. Each step squares the error. */
  uint32_t r = 3031741621u - multiply_high(scaled, 2021161081u);
  for (int i = 0; i < 3; i++) {
    uint32_t correction = 0x80000000u - multiply_high(scaled, r);
    r = (uint32_t)(((uint64_t)r * correction) >> 30);
  }
  uint32_t quotient = (uint32_t)(((uint64_t)most * r) >> (62 - zeros));
  /* Never too large, and at most 1 too small, for every d: all of them were tried. */
  return quotient + (most - quotient * d >= d ? 1 : 0);
}

}  // namespace ivit
