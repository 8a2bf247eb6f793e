/* Softmax of rows, on codes by table and on numbers, and what surrounds it. */

static void scores(
    const float *restrict product, int n, int64_t multiplier, int shift, int8_t *restrict out,
    int32_t *seen) {
  int64_t half = (int64_t)1 << (shift - 1);
  int32_t min = INT32_MAX, max = INT32_MIN;
  for (int i = 0; i < n; i++) {
    int32_t z = (int32_t)product[i];
    min = z < min ? z : min;
    max = z > max ? z : max;
    out[i] = (int8_t)clamp((z * multiplier + half) >> shift, -128, 127);
  }
  seen[0] = min;
  seen[1] = max;
}

enum { MASKED = 256 };

static inline __attribute__((always_inline)) void probabilities_row(
    const int8_t *restrict x, int n, const uint8_t *restrict mask,
    const int32_t *restrict exponentials, int rounding, int bits, int deferred,
    float *restrict out, const int masked) {
  int32_t most = -128;
  for (int i = 0; i < n; i++) {
    int32_t seen = masked && mask[i] ? -128 : x[i];
    most = seen > most ? seen : most;
  }
  int32_t e[BLOCK];
  uint32_t sum = 0;
  for (int from = 0; from < n; from += BLOCK) {
    int size = n - from < BLOCK ? n - from : BLOCK;
    for (int i = 0; i < size; i++) {
      e[i] = most - x[from + i];
    }
    for (int i = 0; i < size && masked; i++) {
      e[i] = mask[from + i] ? MASKED : e[i];
    }
    for (int i = 0; i < size; i++) {
      e[i] = exponentials[e[i]];
      sum += (uint32_t)e[i];
    }
    for (int i = 0; i < size; i++) {
      /* Below 2^31, and exact up to 2^24, which an exponential of form deferred is. */
      out[from + i] = (float)e[i];
    }
  }
  if (deferred) {
    return;
  }
  uint32_t factor = INT32_MAX / (sum == 0 ? 1 : sum);
  uint32_t limit = (1u << (bits - 1)) - 1;
  int shift = 32 - bits;
  for (int from = 0; from < n; from += BLOCK) {
    int size = n - from < BLOCK ? n - from : BLOCK;
    for (int i = 0; i < size && n > BLOCK; i++) {
      int32_t distance = most - x[from + i];
      e[i] = exponentials[masked && mask[from + i] ? MASKED : distance];
    }
    for (int i = 0; i < size; i++) {
      uint32_t code = ((uint32_t)e[i] * factor + (uint32_t)rounding) >> shift;
      code = code < limit ? code : limit;
      out[from + i] = (float)(int32_t)code;
    }
  }
}

/* Codes of probabilities as numbers; a row without any unmasked score is refused before. */
static void probabilities(
    const int8_t *scores, int rows, int n, const uint8_t *masked, const int32_t *exponentials,
    int rounding, int bits, int deferred, float *p) {
  for (int r = 0; r < rows; r++) {
    const int8_t *x = scores + (ptrdiff_t)r * n;
    float *out = p + (ptrdiff_t)r * n;
    if (masked == NULL) {
      probabilities_row(x, n, NULL, exponentials, rounding, bits, deferred, out, 0);
    } else {
      probabilities_row(
          x, n, masked + (ptrdiff_t)r * n, exponentials, rounding, bits, deferred, out, 1);
    }
  }
}

/* Accumulators of P.V by the sums of their rows of codes, form deferred; in place. */
static void divide_sums(
    const float *p, int heads, int tokens, int head_dim, float *product) {
  for (int head = 0; head < heads; head++) {
    for (int query = 0; query < tokens; query++, p += tokens) {
      int32_t sum = 0;
      for (int i = 0; i < tokens; i++) {
        sum += (int32_t)p[i];
      }
      int64_t factor = INT32_MAX / sum;
      float *restrict acc = product + ((ptrdiff_t)query * heads + head) * head_dim;
      for (int c = 0; c < head_dim; c++) {
        acc[c] = (float)(((int64_t)acc[c] * factor + (1 << 15)) >> 16);
      }
    }
  }
}

static void probabilities_of_codes(float *p, int rows, int n) {
  for (int r = 0; r < rows; r++) {
    float *restrict row = p + (ptrdiff_t)r * n;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += row[i];
    }
    for (int i = 0; i < n; i++) {
      row[i] = (float)(row[i] / sum);
    }
  }
}

/* In lanes, which need no leave to reorder comparisons of what may be no number. */
static float largest(const float *restrict x, int n) {
  float lanes[LANES];
  for (int j = 0; j < LANES; j++) {
    lanes[j] = x[j < n ? j : 0];
  }
  int i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int j = 0; j < LANES; j++) {
      lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    }
  }
  float most = lanes[0];
  for (int j = 1; j < LANES; j++) {
    most = lanes[j] > most ? lanes[j] : most;
  }
  for (; i < n; i++) {
    most = x[i] > most ? x[i] : most;
  }
  return most;
}

static void softmax(float *x, int rows, int n) {
  for (int r = 0; r < rows; r++) {
    float *restrict row = x + (ptrdiff_t)r * n;
    float most = largest(row, n);
    for (int i = 0; i < n; i++) {
      row[i] = (float)exponential((double)row[i] - most);
    }
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += row[i];
    }
    double factor = 1 / sum;
    for (int i = 0; i < n; i++) {
      row[i] = (float)(row[i] * factor);
    }
  }
}

/* g = p * (g - sum(g * p)) on each row. */
static void softmax_backward(const float *p, double scale, float *g, int rows, int n) {
  for (int r = 0; r < rows; r++) {
    const float *restrict row = p + (ptrdiff_t)r * n;
    float *restrict out = g + (ptrdiff_t)r * n;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += (double)out[i] * row[i];
    }
    sum *= scale;
    for (int i = 0; i < n; i++) {
      out[i] = (float)(row[i] * scale * (out[i] - sum));
    }
  }
}
