/* I-LayerNorm of a row, portable. */
#include "ivit.h"

static int64_t output(int32_t y, int32_t factor, const struct ivit_norm *norm, int c) {
  int64_t normalised = ((int64_t)y * factor) >> 1;
  return (normalised * norm->multiplier[c] + norm->offset[c]) >> norm->shift;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high) {
  return v < low ? low : v > high ? high : v;
}

static int32_t statistics(const int16_t *x, const struct ivit_norm *norm, int32_t *mean) {
  int channels = norm->channels;
  int64_t sum = 0;
  for (int c = 0; c < channels; c++) {
    sum += x[c];
  }
  *mean = ivit_norm_mean(sum, channels);
  uint64_t squares = 0;
  for (int c = 0; c < channels; c++) {
    int64_t y = x[c] - *mean;
    squares += (uint64_t)(y * y);
  }
  return ivit_norm_factor(squares + norm->epsilon);
}

void ivit_norm_c(const int16_t *x, const struct ivit_norm *norm, uint8_t *out) {
  int32_t mean;
  int32_t factor = statistics(x, norm, &mean);
  for (int c = 0; c < norm->channels; c++) {
    out[c] = (uint8_t)(clamp(output(x[c] - mean, factor, norm, c), -128, 127) + 128);
  }
}

void ivit_norm16_c(const int16_t *x, const struct ivit_norm *norm, int16_t *out) {
  int32_t mean;
  int32_t factor = statistics(x, norm, &mean);
  for (int c = 0; c < norm->channels; c++) {
    out[c] = (int16_t)clamp(output(x[c] - mean, factor, norm, c), INT16_MIN, INT16_MAX);
  }
}
