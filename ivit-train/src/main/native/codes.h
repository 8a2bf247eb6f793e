/* Between numbers and codes. */

static void recover(const float *restrict x, double scale, int16_t *restrict out, int n) {
  for (int i = 0; i < n; i++) {
    out[i] = (int16_t)(int32_t)rint((double)x[i] / scale);
  }
}

static void dequantize(const int16_t *restrict codes, double scale, float *restrict y, int n) {
  for (int i = 0; i < n; i++) {
    y[i] = (float)(codes[i] * scale);
  }
}

static void widen(
    const int8_t *restrict codes, int rows, int channels, const struct ivit_outliers *apart,
    float *restrict y) {
  ptrdiff_t n = (ptrdiff_t)rows * channels;
  for (ptrdiff_t i = 0; i < n; i++) {
    y[i] = codes[i];
  }
  for (int j = 0; j < apart->count; j++) {
    for (ptrdiff_t i = apart->channels[j]; i < n; i += channels) {
      y[i] = (float)((int32_t)codes[i] * (1 << apart->shift));
    }
  }
}

static inline int64_t clamp(int64_t v, int64_t least, int64_t most) {
  return v < least ? least : v > most ? most : v;
}

static void see(const int32_t *restrict z, int channels, struct ivit_extremes seen) {
  int32_t *restrict min = seen.min;
  int32_t *restrict max = seen.max;
  for (int c = 0; c < channels; c++) {
    min[c] = z[c] < min[c] ? z[c] : min[c];
    max[c] = z[c] > max[c] ? z[c] : max[c];
  }
}

/* Accumulators of one row. */
static void accumulators(
    const float *restrict product, const int32_t *restrict bias, int channels,
    int32_t *restrict z) {
  for (int c = 0; c < channels; c++) {
    z[c] = (int32_t)product[c] + bias[c];
  }
}

enum { BLOCK = 1024, LANES = 16 };

#define REQUANTIZE(name, type, least, most)                                                    \
  static void name##_row(                                                                      \
      const int32_t *restrict z, int channels, const struct ivit_dyadics *d,                   \
      type *restrict out) {                                                                    \
    const int32_t *restrict m = d->multiplier;                                                 \
    const int64_t *restrict half = d->half;                                                    \
    const int32_t *restrict shift = d->shift;                                                  \
    for (int c = 0; c < channels; c++) {                                                       \
      int64_t v = ((int64_t)z[c] * m[c] + half[c]) >> shift[c];                                \
      out[c] = (type)clamp(v, least, most);                                                    \
    }                                                                                          \
  }                                                                                            \
  static void name(                                                                            \
      const float *product, int rows, int channels, const int32_t *bias,                       \
      const struct ivit_dyadics *d, struct ivit_extremes seen, type *out) {                    \
    int32_t z[BLOCK];                                                                          \
    for (int from = 0; from < channels; from += BLOCK) {                                       \
      int n = channels - from < BLOCK ? channels - from : BLOCK;                               \
      struct ivit_dyadics part = {d->multiplier + from, d->half + from, d->shift + from};      \
      struct ivit_extremes some = {seen.min + from, seen.max + from};                          \
      for (int r = 0; r < rows; r++) {                                                         \
        ptrdiff_t at = (ptrdiff_t)r * channels + from;                                         \
        accumulators(product + at, bias + from, n, z);                                         \
        if (seen.min != NULL) {                                                                \
          see(z, n, some);                                                                     \
        }                                                                                      \
        name##_row(z, n, &part, out + at);                                                     \
      }                                                                                        \
    }                                                                                          \
  }                                                                                            \
  static void name##_tile(                                                                     \
      const int32_t *acc, int from, int rows, int channels, const struct ivit_dyadics *d,      \
      struct ivit_extremes seen, type *out, int to) {                                          \
    for (int r = 0; r < rows; r++, acc += from, out += to) {                                   \
      if (seen.min != NULL) {                                                                  \
        see(acc, channels, seen);                                                              \
      }                                                                                        \
      name##_row(acc, channels, d, out);                                                       \
    }                                                                                          \
  }

REQUANTIZE(requantize8, int8_t, -128, 127)
REQUANTIZE(requantize16, int16_t, -32768, 32767)

/*
 * Dyadics: multiplier and shift of the branch, then of the identity. Scales of both for the values
 * seen, or null.
 */
static void residual(
    const int16_t *restrict branch, const int16_t *restrict identity, int16_t *restrict out, int n,
    const int64_t *dyadics, const double *scales, double *seen) {
  int64_t m = dyadics[0], e = dyadics[1], other = dyadics[2], f = dyadics[3];
  int64_t half = (int64_t)1 << (e - 1), other_half = (int64_t)1 << (f - 1);
  for (int i = 0; i < n; i++) {
    int64_t sum = ((branch[i] * m + half) >> e) + ((identity[i] * other + other_half) >> f);
    out[i] = (int16_t)clamp(sum, -32768, 32767);
  }
  if (scales == NULL) {
    return;
  }
  double min[LANES], max[LANES];
  for (int j = 0; j < LANES; j++) {
    min[j] = seen[0];
    max[j] = seen[1];
  }
  double a = scales[0], b = scales[1];
  for (int i = 0; i < n; i += LANES) {
    int from = n - i >= LANES || n < LANES ? i : n - LANES;
    double value[LANES];
    for (int j = 0; j < LANES; j++) {
      int at = n < LANES && j >= n ? 0 : from + j;
      value[j] = branch[at] * a + identity[at] * b;
    }
    for (int j = 0; j < LANES; j++) {
      min[j] = value[j] < min[j] ? value[j] : min[j];
      max[j] = value[j] > max[j] ? value[j] : max[j];
    }
  }
  for (int j = 0; j < LANES; j++) {
    seen[0] = min[j] < seen[0] ? min[j] : seen[0];
    seen[1] = max[j] > seen[1] ? max[j] : seen[1];
  }
}

/* Codes with a scale a row. */
static void dequantize_rows(
    const int8_t *codes, int rows, int channels, const float *scale, float *y) {
  for (int r = 0; r < rows; r++) {
    const int8_t *restrict row = codes + (ptrdiff_t)r * channels;
    float *restrict out = y + (ptrdiff_t)r * channels;
    double step = scale[r];
    for (int c = 0; c < channels; c++) {
      out[c] = (float)(row[c] * step);
    }
  }
}
