/* Shiftmax of a row by table, section 4 of docs/arithmetic.md, portable. */
#include "requantize.h"

static int masked(const uint64_t *mask, int i) {
  return mask != NULL && (mask[i / 64] >> i % 64 & 1);
}

void ivit_bias_c(uint8_t *scores, const struct ivit_window *window, int head, int query) {
  const int32_t *bias = window->bias + ((size_t)head * window->tokens + query) * window->row;
  for (int i = 0; i < window->tokens; i++) {
    scores[i] = (uint8_t)(ivit_clamp(window->score[scores[i]] + bias[i], -128, 127) + 128);
  }
}

void ivit_softmax_c(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *high, uint8_t *low) {
  int largest = 0;
  for (int i = 0; i < n; i++) {
    if (!masked(mask, i) && scores[i] > largest) {
      largest = scores[i];
    }
  }
  uint32_t sum = 0;
  for (int i = 0; i < n; i++) {
    sum += softmax->exponentials[masked(mask, i) ? 256 : largest - scores[i]];
  }
  uint32_t factor = INT32_MAX / sum;
  int shift = 32 - softmax->bits;
  uint32_t limit = (1u << (softmax->bits - 1)) - 1;
  for (int i = 0; i < n; i++) {
    uint32_t e = softmax->exponentials[masked(mask, i) ? 256 : largest - scores[i]];
    uint32_t p = (e * factor + softmax->rounding) >> shift;
    p = p < limit ? p : limit;
    low[i] = (uint8_t)p;
    if (softmax->bits > 8) {
      high[i] = (uint8_t)(p >> 8);
    }
  }
  for (int i = n; i % 64 != 0; i++) {
    low[i] = 0;
    high[i] = 0;
  }
}
