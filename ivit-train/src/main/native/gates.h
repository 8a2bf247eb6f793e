/* SwiGLU and rotary positions, of codes and of numbers. */

static void multiply(float *restrict x, const float *restrict z, int n) {
  for (int i = 0; i < n; i++) {
    x[i] = (float)((double)x[i] * z[i]);
  }
}

/* Table of the gate times value, a row. */
static void gated(
    const int8_t *restrict gates, const int8_t *restrict values, int n,
    const int16_t *restrict middle, int32_t *restrict z) {
  int32_t silu[BLOCK];
  for (int c = 0; c < n; c++) {
    silu[c] = middle[gates[c]];
  }
  for (int c = 0; c < n; c++) {
    z[c] = silu[c] * values[c];
  }
}

#define GATE(name, type, requantize)                                                           \
  static void name(                                                                            \
      const int8_t *gates, const int8_t *values, int rows, int channels, const int16_t *table, \
      const struct ivit_dyadics *d, struct ivit_extremes seen, type *out) {                    \
    int32_t z[BLOCK];                                                                          \
    for (int from = 0; from < channels; from += BLOCK) {                                       \
      int n = channels - from < BLOCK ? channels - from : BLOCK;                               \
      struct ivit_dyadics part = {d->multiplier + from, d->half + from, d->shift + from};      \
      struct ivit_extremes some = {seen.min + from, seen.max + from};                          \
      for (int r = 0; r < rows; r++) {                                                         \
        ptrdiff_t at = (ptrdiff_t)r * channels + from;                                         \
        gated(gates + at, values + at, n, table + 128, z);                                     \
        if (seen.min != NULL) {                                                                \
          see(z, n, some);                                                                     \
        }                                                                                      \
        requantize(z, n, &part, out + at);                                                     \
      }                                                                                        \
    }                                                                                          \
  }

GATE(gate_to8, int8_t, requantize8_row)
GATE(gate_to16, int16_t, requantize16_row)

/* Of the gradient g by the products makes that by the values; writes that by the gates. */
static void gate_backward(
    const int8_t *restrict gates, const int8_t *restrict values, int n,
    const double *restrict silu, const double *restrict slopes, double scale, float *restrict g,
    float *restrict by_gate) {
  double factor[BLOCK], slope[BLOCK];
  for (int from = 0; from < n; from += BLOCK) {
    int size = n - from < BLOCK ? n - from : BLOCK;
    for (int i = 0; i < size; i++) {
      factor[i] = silu[gates[from + i] + 128];
      slope[i] = slopes[gates[from + i] + 128];
    }
    for (int i = 0; i < size; i++) {
      double gradient = g[from + i];
      by_gate[from + i] = (float)(gradient * values[from + i] * scale * slope[i]);
      g[from + i] = (float)(gradient * factor[i]);
    }
  }
}

/* Queries and keys turned, values times 2^14, then one requantization of all. */
static void turn_codes(
    const int16_t *restrict x, int pictures, const struct ivit_heads *h,
    const int16_t *restrict cosines, const int16_t *restrict sines, int64_t multiplier, int shift,
    int8_t *restrict out, int32_t *seen) {
  int32_t z[MOST_CHANNELS], other[MOST_CHANNELS];
  int64_t half = (int64_t)1 << (shift - 1);
  int32_t min = seen[0], max = seen[1];
  for (int row = 0; row < pictures * h->tokens; row++) {
    const int16_t *restrict cosine = cosines + (ptrdiff_t)(row % h->tokens) * h->dim;
    const int16_t *restrict sine = sines + (ptrdiff_t)(row % h->tokens) * h->dim;
    for (int head = 0; head < 3 * h->heads; head++, x += h->dim, out += h->dim) {
      if (head < 2 * h->heads) {
        for (int c = 0; c < h->dim; c++) {
          other[c] = x[h->partner[c]];
        }
        for (int c = 0; c < h->dim; c++) {
          z[c] = x[c] * cosine[c] + other[c] * sine[c];
        }
      } else {
        for (int c = 0; c < h->dim; c++) {
          z[c] = x[c] * (1 << 14);
        }
      }
      for (int c = 0; c < h->dim; c++) {
        min = z[c] < min ? z[c] : min;
        max = z[c] > max ? z[c] : max;
        out[c] = (int8_t)clamp((z[c] * multiplier + half) >> shift, -128, 127);
      }
    }
  }
  seen[0] = min;
  seen[1] = max;
}

/* Queries and keys of all tokens but the leading ones, in place; by the opposite angle: -1. */
static void turn(
    float *restrict x, int pictures, int leading, const struct ivit_heads *h,
    const double *restrict cosines, const double *restrict sines, double direction) {
  double other[MOST_CHANNELS];
  for (int picture = 0; picture < pictures; picture++) {
    for (int token = 0; token < h->tokens; token++) {
      const double *restrict cosine = cosines + (ptrdiff_t)token * h->dim;
      const double *restrict sine = sines + (ptrdiff_t)token * h->dim;
      for (int head = 0; head < 3 * h->heads; head++, x += h->dim) {
        if (token < leading || head >= 2 * h->heads) {
          continue;
        }
        for (int c = 0; c < h->dim; c++) {
          other[c] = x[h->partner[c]];
        }
        for (int c = 0; c < h->dim; c++) {
          x[c] = (float)(x[c] * cosine[c] + direction * other[c] * sine[c]);
        }
      }
    }
  }
}
