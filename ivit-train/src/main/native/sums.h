/* Sums over rows, of rows and of vectors, and the update. */

static void add_column_sums(const float *restrict g, int rows, int channels, float *restrict sums) {
  double sum[BLOCK];
  for (int from = 0; from < channels; from += BLOCK) {
    int n = channels - from < BLOCK ? channels - from : BLOCK;
    for (int c = 0; c < n; c++) {
      sum[c] = sums[from + c];
    }
    for (int r = 0; r < rows; r++) {
      const float *restrict row = g + (ptrdiff_t)r * channels + from;
      for (int c = 0; c < n; c++) {
        sum[c] += row[c];
      }
    }
    for (int c = 0; c < n; c++) {
      sums[from + c] = (float)sum[c];
    }
  }
}

/* Sets every row. */
static void fill_rows(const float *restrict row, float *restrict y, int rows, int channels) {
  for (int r = 0; r < rows; r++, y += channels) {
    for (int c = 0; c < channels; c++) {
      y[c] = row[c];
    }
  }
}

static void add_offsets(float *restrict y, int rows, int channels, const double *restrict offsets) {
  for (int r = 0; r < rows; r++, y += channels) {
    for (int c = 0; c < channels; c++) {
      y[c] = (float)(y[c] + offsets[c]);
    }
  }
}

/* y = x + factor * z; y may be x. */
static void add_scaled(const float *x, const float *z, double factor, float *y, int n) {
  for (int i = 0; i < n; i++) {
    y[i] = (float)(x[i] + factor * z[i]);
  }
}

static void scale(const float *x, double factor, float *y, int n) {
  for (int i = 0; i < n; i++) {
    y[i] = (float)(x[i] * factor);
  }
}

static void adam(
    float *restrict gradient, float *restrict m, float *restrict v, float beta1, float beta2,
    float rate, float epsilon, int n) {
  for (int i = 0; i < n; i++) {
    float g = gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    gradient[i] = rate * m[i] / (sqrtf(v[i]) + epsilon);
  }
}

static double squares(const float *restrict x, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += (double)x[i] * x[i];
  }
  return sum;
}

static void sum(const float *const *parts, int count, float *restrict y, int n) {
  for (int from = 0; from < n; from += BLOCK) {
    int size = n - from < BLOCK ? n - from : BLOCK;
    double total[BLOCK];
    for (int i = 0; i < size; i++) {
      total[i] = parts[0][from + i];
    }
    for (int part = 1; part < count; part++) {
      const float *restrict x = parts[part] + from;
      for (int i = 0; i < size; i++) {
        total[i] += x[i];
      }
    }
    for (int i = 0; i < size; i++) {
      y[from + i] = (float)total[i];
    }
  }
}
