/* GELU: by table on codes, by the error function or a sigmoid on numbers. */

static void gelu_codes(
    const int8_t *restrict x, int rows, int channels, const int8_t *restrict table,
    const int8_t *restrict outlier_table, const struct ivit_outliers *apart,
    uint8_t *restrict met, int8_t *restrict out) {
  ptrdiff_t n = (ptrdiff_t)rows * channels;
  const int8_t *middle = table + 128;
  for (ptrdiff_t i = 0; i < n; i++) {
    out[i] = middle[x[i]];
  }
  for (int j = 0; j < apart->count; j++) {
    for (ptrdiff_t i = apart->channels[j]; i < n; i += channels) {
      out[i] = outlier_table[x[i] + 128];
    }
  }
  if (met == NULL) {
    return;
  }
  for (int r = 0; r < rows; r++, x += channels) {
    for (int c = 0; c < channels; c++) {
      met[x[c] + 128] |= apart->count == 0 || !apart->mask[c];
    }
  }
}

static void gelu_codes_backward(
    const int8_t *x, float *g, int rows, int channels, const double *restrict slopes,
    const double *restrict outlier_slopes, const struct ivit_outliers *apart) {
  float outlier[MOST_CHANNELS];
  for (int r = 0; r < rows; r++, x += channels, g += channels) {
    for (int j = 0; j < apart->count; j++) {
      int c = apart->channels[j];
      outlier[j] = (float)(g[c] * outlier_slopes[x[c] + 128]);
    }
    for (int from = 0; from < channels; from += BLOCK) {
      int n = channels - from < BLOCK ? channels - from : BLOCK;
      int32_t index[BLOCK];
      for (int c = 0; c < n; c++) {
        index[c] = x[from + c] + 128;
      }
      for (int c = 0; c < n; c++) {
        g[from + c] = (float)(g[from + c] * slopes[index[c]]);
      }
    }
    for (int j = 0; j < apart->count; j++) {
      g[apart->channels[j]] = outlier[j];
    }
  }
}

/* e^x for x <= 0, relative error below 1e-12: 2^n by the exponent's bits, the rest by Taylor. */
static inline __attribute__((always_inline)) double exponential(double x) {
  x = x < -700 ? -700 : x;
  double n = rint(x * 1.4426950408889634);
  double r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  double p = 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  /* n plus 3 * 2^51 has n in its lowest bits, which needs no conversion to 64-bit integers. */
  union {
    double value;
    int64_t bits;
  } power = {n + 0x1.8p52};
  power.bits = (int64_t)((uint64_t)(power.bits + 1023) << 52);
  return p * power.value;
}

/*
 * Normal distribution and density. erfc(z) e^(z*z) is a polynomial in 1 / (1 + 0.35 z), fitted at
 * Chebyshev nodes: the error of the distribution is below 2e-10.
 */
static inline __attribute__((always_inline)) double normal(double x, double *density) {
  double z = fabs(x) * 0.70710678118654752;
  z = z > 6.5 ? 6.5 : z;
  double e = exponential(-z * z);
  double t = 1 / (1 + 0.35 * z);
  double p = 0.081340786750535868;
  p = p * t - 0.48317668227916821;
  p = p * t + 1.0419758244043926;
  p = p * t - 1.0215392058579003;
  p = p * t + 0.9186447393233792;
  p = p * t - 0.21540830747831716;
  p = p * t + 0.30481651722636816;
  p = p * t + 0.17315469396664651;
  p = p * t + 0.20034194109103212;
  p = p * t - 0.00015030711496238913;
  double tail = 0.5 * p * e;
  *density = e * 0.39894228040143268;
  return x < 0 ? tail : 1 - tail;
}

static void gelu(const float *restrict x, float *restrict y, int n) {
  for (int i = 0; i < n; i++) {
    double density;
    double v = x[i];
    y[i] = (float)(v * normal(v, &density));
  }
}

static void gelu_backward(const float *restrict x, float *restrict g, int n) {
  for (int i = 0; i < n; i++) {
    double density;
    double v = x[i];
    double distribution = normal(v, &density);
    g[i] = (float)(g[i] * (distribution + v * density));
  }
}

/* 1 / (1 + e^-u), by the exponential of what is not positive. */
static inline __attribute__((always_inline)) double sigmoid(double u) {
  double e = exponential(-fabs(u));
  double high = 1 / (1 + e);
  return u < 0 ? e * high : high;
}

/* The approximations of GELU, x * sigmoid(linear x + cubic x^3). */
static void sigmoid_gate(
    const float *restrict x, float *restrict y, int n, double linear, double cubic) {
  for (int i = 0; i < n; i++) {
    double v = x[i];
    y[i] = (float)(v * sigmoid(v * (linear + cubic * v * v)));
  }
}

static void sigmoid_gate_backward(
    const float *restrict x, float *restrict g, int n, double linear, double cubic) {
  for (int i = 0; i < n; i++) {
    double v = x[i];
    double s = sigmoid(v * (linear + cubic * v * v));
    g[i] = (float)(g[i] * (s + v * s * (1 - s) * (linear + 3 * cubic * v * v)));
  }
}
