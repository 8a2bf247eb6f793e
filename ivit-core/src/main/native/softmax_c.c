/* Shiftmax of a row by table (docs/arithmetic.md#softmax), portable. */
#include "window.h"

static int masked(const uint64_t *mask, int i) {
  return mask != NULL && (mask[i / 64] >> i % 64 & 1);
}

void ivit_bias_c(uint8_t *scores, const struct ivit_window *window, int head, int query) {
  size_t at = ivit_bias_at(window, head, query);
  if (window->leading) {
    scores[0] = ivit_biased_leading(window, head, query, scores[0], 128);
  }
  for (int i = window->leading; i < window->tokens; i++) {
    int32_t bias = window->narrow ? window->bias16[at + (size_t)i] : window->bias[at + (size_t)i];
    scores[i] = (uint8_t)(ivit_clamp(window->score[scores[i]] + bias, -128, 127) + 128);
  }
}

static uint8_t exponential(
    const uint8_t *scores, int i, const uint64_t *mask, const struct ivit_softmax *softmax,
    int largest) {
  return (uint8_t)softmax->exponentials[masked(mask, i) ? 256 : largest - scores[i]];
}

static int32_t deferred(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    int largest, uint8_t *low) {
  uint32_t sum = 0;
  for (int i = 0; i < n; i++) {
    low[i] = exponential(scores, i, mask, softmax, largest);
    sum += low[i];
  }
  for (int i = n; i % 64 != 0; i++) {
    low[i] = 0;
  }
  return (int32_t)(INT32_MAX / sum);
}

void ivit_normalise_c(int32_t *acc, int rows, const int32_t *factor) {
  for (int r = 0; r < rows; r++) {
    for (int c = 0; c < IVIT_COLUMNS; c++) {
      int32_t *z = acc + r * IVIT_COLUMNS + c;
      *z = (int32_t)(((int64_t)*z * factor[r] + (1 << 15)) >> 16);
    }
  }
}

int32_t ivit_softmax_c(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane) {
  uint8_t *low = out, *high = out + plane;
  int largest = 0;
  for (int i = 0; i < n; i++) {
    if (!masked(mask, i) && scores[i] > largest) {
      largest = scores[i];
    }
  }
  if (softmax->deferred) {
    return deferred(scores, n, mask, softmax, largest, low);
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
  return (int32_t)factor;
}
