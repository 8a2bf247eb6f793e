/* The two scalars of a row of I-LayerNorm, section 6 of docs/arithmetic.md. */
#include "ivit.h"

int32_t ivit_norm_mean(int64_t sum, int channels) {
  int64_t n = 2 * sum + channels;
  int64_t d = 2 * (int64_t)channels;
  int64_t quotient = n / d;
  return (int32_t)(n % d < 0 ? quotient - 1 : quotient);
}

/*
 * floor(sqrt(v)). The start is the chord of the square root over [4^s, 4^(s+1)), 6 % off at most;
 * three Newton steps leave an error of at most one for v < 2^60, which the end removes.
 */
static uint64_t square_root(uint64_t v) {
  if (v == 0) {
    return 0;
  }
  int s = (63 - __builtin_clzll(v)) / 2;
  uint64_t x = ((uint64_t)1 << s) + ((v >> s) - ((uint64_t)1 << s)) / 3;
  for (int i = 0; i < 3; i++) {
    x = (x + v / x) / 2;
  }
  while (x * x > v) {
    x--;
  }
  while ((x + 1) * (x + 1) <= v) {
    x++;
  }
  return x;
}

int32_t ivit_norm_factor(uint64_t squares) {
  uint64_t deviation = square_root(squares);
  return (int32_t)(INT32_MAX / (deviation == 0 ? 1 : deviation));
}
