/* Norms of rows: I-LayerNorm on codes, layer norm on numbers. */

enum { MOST_CHANNELS = 4096 };

/* The exact floor of the square root of 0 <= v < 2^61: float64 rounds to it or to a neighbour. */
static int64_t root(int64_t v) {
  int64_t r = (int64_t)sqrt((double)v);
  r -= r * r > v;
  r += (r + 1) * (r + 1) <= v;
  return r;
}

/* Normalised values of a row of codes; returns the deviation. Epsilon is at most 2^60. */
static int32_t normalise(
    const int16_t *restrict x, int channels, int64_t epsilon, int32_t *restrict y) {
  int32_t total = 0;
  int64_t sum = 0;
  for (int from = 0; from < channels; from += BLOCK) {
    int to = channels - from < BLOCK ? channels : from + BLOCK;
    total = 0;
    for (int c = from; c < to; c++) {
      total += x[c];
    }
    sum += total;
  }
  int64_t n = 2 * sum + channels, d = 2 * (int64_t)channels;
  int64_t quotient = n / d;
  int32_t mean = (int32_t)(n % d < 0 ? quotient - 1 : quotient);
  int64_t squares = 0;
  for (int c = 0; c < channels; c++) {
    int32_t v = x[c] - mean;
    y[c] = v;
    squares += (int64_t)v * v;
  }
  int64_t std = root(squares + epsilon);
  std = std < 1 ? 1 : std;
  int64_t factor = INT32_MAX / std;
  for (int c = 0; c < channels; c++) {
    y[c] = (int32_t)((y[c] * factor) >> 1);
  }
  return (int32_t)std;
}

static void norm_codes_row(
    const int32_t *restrict y, int channels, const int32_t *restrict multiplier,
    const int64_t *restrict offset, int shift, int8_t *restrict out) {
  for (int c = 0; c < channels; c++) {
    int64_t v = ((int64_t)y[c] * multiplier[c] + offset[c]) >> shift;
    out[c] = (int8_t)clamp(v, -128, 127);
  }
}

static void norm_codes16_row(
    const int32_t *restrict y, int channels, const int32_t *restrict multiplier,
    const int64_t *restrict offset, int shift, int16_t *restrict out) {
  for (int c = 0; c < channels; c++) {
    int64_t v = ((int64_t)y[c] * multiplier[c] + offset[c]) >> shift;
    out[c] = (int16_t)clamp(v, -32768, 32767);
  }
}

static void norm_codes(
    const int16_t *x, int rows, int channels, const struct ivit_code_norm *n,
    struct ivit_extremes seen, int8_t *out) {
  int32_t y[MOST_CHANNELS];
  for (int r = 0; r < rows; r++) {
    normalise(x + (ptrdiff_t)r * channels, channels, n->epsilon, y);
    if (seen.min != NULL) {
      see(y, channels, seen);
    }
    norm_codes_row(y, channels, n->multiplier, n->offset, n->shift, out + (ptrdiff_t)r * channels);
  }
}

static void norm_codes16(
    const int16_t *x, int rows, int channels, const struct ivit_code_norm *n,
    struct ivit_extremes seen, int16_t *out) {
  int32_t y[MOST_CHANNELS];
  for (int r = 0; r < rows; r++) {
    normalise(x + (ptrdiff_t)r * channels, channels, n->epsilon, y);
    if (seen.min != NULL) {
      see(y, channels, seen);
    }
    norm_codes16_row(
        y, channels, n->multiplier, n->offset, n->shift, out + (ptrdiff_t)r * channels);
  }
}

/*
 * Gradient of a normalised row, added to gx: (g*gamma - mean(g*gamma) - x*mean(g*gamma*x))*factor.
 */
static void row_backward(
    const double *restrict x, double factor, const double *restrict gamma,
    const float *restrict gy, float *restrict gx, double *restrict gamma_gradient,
    double *restrict beta_gradient, int channels) {
  double total = 0, along = 0;
  for (int c = 0; c < channels; c++) {
    double g = gy[c];
    gamma_gradient[c] += g * x[c];
    beta_gradient[c] += g;
    double scaled = g * gamma[c];
    total += scaled;
    along += scaled * x[c];
  }
  total /= channels;
  along /= channels;
  for (int c = 0; c < channels; c++) {
    gx[c] = (float)(gx[c] + (gy[c] * gamma[c] - total - x[c] * along) * factor);
  }
}

static void norm_codes_backward(
    const int16_t *x, int rows, int channels, int64_t epsilon, double scale, const double *gamma,
    const float *gy, float *gx, int gx_stride, double *gamma_gradient, double *beta_gradient) {
  int32_t y[MOST_CHANNELS];
  double normalised[MOST_CHANNELS];
  double width = sqrt(channels);
  for (int r = 0; r < rows; r++) {
    int32_t std = normalise(x + (ptrdiff_t)r * channels, channels, epsilon, y);
    for (int c = 0; c < channels; c++) {
      normalised[c] = y[c] * (width * 0x1p-30);
    }
    row_backward(
        normalised, width / (scale * std), gamma, gy + (ptrdiff_t)r * channels,
        gx + (ptrdiff_t)r * gx_stride, gamma_gradient, beta_gradient, channels);
  }
}

/* The row without its mean over its deviation; returns one over that. */
static double standardise(
    const float *restrict x, int channels, double epsilon, double *restrict out) {
  double sum = 0;
  for (int c = 0; c < channels; c++) {
    sum += x[c];
  }
  double mean = sum / channels, squares = 0;
  for (int c = 0; c < channels; c++) {
    double v = x[c] - mean;
    out[c] = v;
    squares += v * v;
  }
  double factor = 1 / sqrt(squares / channels + epsilon);
  for (int c = 0; c < channels; c++) {
    out[c] *= factor;
  }
  return factor;
}

static void norm(
    const float *x, int x_stride, const double *restrict gamma, const double *restrict beta,
    double epsilon, float *y, int rows, int channels) {
  double row[MOST_CHANNELS];
  for (int r = 0; r < rows; r++) {
    standardise(x + (ptrdiff_t)r * x_stride, channels, epsilon, row);
    float *restrict out = y + (ptrdiff_t)r * channels;
    for (int c = 0; c < channels; c++) {
      out[c] = (float)(row[c] * gamma[c] + beta[c]);
    }
  }
}

/* Rows of gx lie as far apart as those of x. */
static void norm_backward(
    const float *x, int x_stride, const double *gamma, double epsilon, const float *gy, float *gx,
    int rows, int channels, double *gamma_gradient, double *beta_gradient) {
  double row[MOST_CHANNELS];
  for (int r = 0; r < rows; r++) {
    double factor = standardise(x + (ptrdiff_t)r * x_stride, channels, epsilon, row);
    row_backward(
        row, factor, gamma, gy + (ptrdiff_t)r * channels, gx + (ptrdiff_t)r * x_stride,
        gamma_gradient, beta_gradient, channels);
  }
}
