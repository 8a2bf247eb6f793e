/* The two scalars of a row of I-LayerNorm (docs/arithmetic.md#layernorm). */
#include "ivit.h"

int32_t ivit_norm_mean(int64_t sum, int channels) {
  int64_t n = 2 * sum + channels;
  int64_t d = 2 * (int64_t)channels;
  int64_t quotient = n / d;
  return (int32_t)(n % d < 0 ? quotient - 1 : quotient);
}

/*
 * floor(sqrt(v)). The start lies on chords of the square root over [4^s, 2*4^s) and up to 4^(s+1),
 * 1.5 % off at most; two Newton steps leave an error of about one for v < 2^52, of
 * a few up to 2^61, as with a large epsilon, which the end removes.
 */
static uint64_t square_root(uint64_t v) {
  if (v == 0) {
    return 0;
  }
  int b = 63 - __builtin_clzll(v);
  int s = b / 2;
  uint64_t one = (uint64_t)1 << s;
  uint64_t t = v >> s;
  uint64_t below_double = one + ((t - one) * 53 >> 7);
  uint64_t x = b % 2 == 0 ? below_double : (181 * one >> 7) + ((t - 2 * one) * 75 >> 8);
  x = (x + v / x) / 2;
  x = (x + v / x) / 2;
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
