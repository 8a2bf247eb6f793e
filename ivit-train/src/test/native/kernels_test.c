/*
 * Runs every set of training kernels over odd sizes in memory that ends where the data ends, beside
 * the portable set: codes equal, numbers near. Built with AddressSanitizer and UBSan by
 * scripts/check-native.
 */
#include "product.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static uint32_t draw(uint32_t below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((state >> 33) % below);
}

static void *memory(size_t bytes) {
  void *block = malloc(bytes == 0 ? 1 : bytes);
  if (block == NULL) {
    abort();
  }
  return block;
}

static float *numbers(int n) {
  float *x = memory((size_t)n * sizeof *x);
  for (int i = 0; i < n; i++) {
    x[i] = ((float)draw(20001) - 10000) / 2000;
  }
  return x;
}

static void *codes(size_t bytes) {
  uint8_t *x = memory(bytes);
  for (size_t i = 0; i < bytes; i++) {
    x[i] = (uint8_t)draw(256);
  }
  return x;
}

static void fail(const char *set, const char *what, int n) {
  printf("%s: %s differs at size %d\n", set, what, n);
  exit(1);
}

static void same(
    const char *set, const char *what, const void *a, const void *b, size_t bytes, int n) {
  if (memcmp(a, b, bytes) != 0) {
    fail(set, what, n);
  }
}

static void near(const char *set, const char *what, const float *a, const float *b, int n) {
  double most = 1e-30;
  for (int i = 0; i < n; i++) {
    most = fabs(b[i]) > most ? fabs(b[i]) : most;
  }
  for (int i = 0; i < n; i++) {
    if (!(fabs((double)a[i] - b[i]) <= 1e-5 * most)) {
      fail(set, what, n);
    }
  }
}

static void check_numbers(
    const struct ivit_training_kernels *k, const struct ivit_training_kernels *c, int rows, int n) {
  int size = rows * n;
  float *x = numbers(size), *a = numbers(size), *b = memory((size_t)size * sizeof(float));
  double *gamma = memory((size_t)n * sizeof *gamma), *sums = calloc((size_t)(4 * n), sizeof *sums);
  for (int i = 0; i < n; i++) {
    gamma[i] = i % 5 - 2.0;
  }
  k->norm(x, n, gamma, gamma, 1e-6, a, rows, n);
  c->norm(x, n, gamma, gamma, 1e-6, b, rows, n);
  near(k->name, "norm", a, b, size);
  memcpy(b, a, (size_t)size * sizeof(float));
  k->norm_backward(x, n, gamma, 1e-3, x, a, rows, n, sums, sums + n);
  c->norm_backward(x, n, gamma, 1e-3, x, b, rows, n, sums + 2 * n, sums + 3 * n);
  near(k->name, "norm backward", a, b, size);
  k->gelu(x, a, size);
  c->gelu(x, b, size);
  near(k->name, "gelu", a, b, size);
  k->gelu_backward(x, a, size);
  c->gelu_backward(x, b, size);
  near(k->name, "gelu backward", a, b, size);
  k->sigmoid_gate(x, a, size, 1.6, 0.07);
  c->sigmoid_gate(x, b, size, 1.6, 0.07);
  near(k->name, "sigmoid gate", a, b, size);
  k->sigmoid_gate_backward(x, a, size, 1.6, 0.07);
  c->sigmoid_gate_backward(x, b, size, 1.6, 0.07);
  near(k->name, "sigmoid gate backward", a, b, size);
  memcpy(b, a, (size_t)size * sizeof(float));
  k->multiply(a, x, size);
  c->multiply(b, x, size);
  same(k->name, "multiply", a, b, (size_t)size * sizeof(float), size);
  k->softmax(a, rows, n);
  memcpy(b, a, (size_t)size * sizeof(float));
  k->softmax_backward(x, 0.5, a, rows, n);
  c->softmax_backward(x, 0.5, b, rows, n);
  near(k->name, "softmax backward", a, b, size);
  float *row = numbers(n), *other = memory((size_t)n * sizeof(float));
  memcpy(other, row, (size_t)n * sizeof(float));
  k->add_column_sums(x, rows, n, row);
  c->add_column_sums(x, rows, n, other);
  near(k->name, "column sums", row, other, n);
  k->fill_rows(row, a, rows, n);
  k->add_offsets(a, rows, n, gamma);
  k->add_scaled(x, a, 0.5, a, size);
  k->scale(a, 2, a, size);
  const float *parts[] = {x, a};
  k->sum(parts, 2, b, size);
  free(other);
  free(row);
  free(sums);
  free(gamma);
  free(b);
  free(a);
  free(x);
}

static void check_codes(
    const struct ivit_training_kernels *k, const struct ivit_training_kernels *c, int rows, int n) {
  size_t size = (size_t)rows * (size_t)n;
  int16_t *wide = codes(2 * size), *also = codes(2 * size);
  int16_t *out[2] = {memory(2 * size), memory(2 * size)};
  int64_t dyadics[4] = {1 << 30, 31 + draw(8), (1 << 30) + 5, 30 + draw(8)};
  double scales[2] = {0.5, 0.25}, seen[2][2] = {{1e9, -1e9}, {1e9, -1e9}};
  k->residual(wide, also, out[0], (int)size, dyadics, scales, seen[0]);
  c->residual(wide, also, out[1], (int)size, dyadics, scales, seen[1]);
  same(k->name, "residual", out[0], out[1], 2 * size, n);
  same(k->name, "residual's range", seen[0], seen[1], sizeof seen[0], n);
  float *x = memory(size * sizeof *x);
  k->dequantize(wide, 0.003, x, (int)size);
  k->recover(x, 0.003f, out[0], (int)size);

  int32_t *m = memory((size_t)n * sizeof *m), *e = memory((size_t)n * sizeof *e);
  int32_t *bias = memory((size_t)n * sizeof *bias);
  int64_t *half = memory((size_t)n * sizeof *half);
  int32_t *range[4];
  for (int i = 0; i < 4; i++) {
    range[i] = memory((size_t)n * sizeof(int32_t));
    for (int j = 0; j < n; j++) {
      range[i][j] = i % 2 == 0 ? INT32_MAX : INT32_MIN;
    }
  }
  for (int i = 0; i < n; i++) {
    m[i] = (1 << 30) + (int32_t)draw(1 << 30);
    e[i] = 20 + (int32_t)draw(40);
    half[i] = (int64_t)1 << (e[i] - 1);
    bias[i] = (int32_t)draw(2000) - 1000;
  }
  struct ivit_dyadics d = {m, half, e};
  struct ivit_extremes first = {range[0], range[1]}, second = {range[2], range[3]};
  int8_t *narrow[2] = {memory(size), memory(size)};
  int8_t *input = codes(size);
  struct ivit_outliers none = {NULL, NULL, 0, 0};
  k->widen(input, rows, n, &none, x);
  k->requantize8(x, rows, n, bias, &d, first, narrow[0]);
  c->requantize8(x, rows, n, bias, &d, second, narrow[1]);
  same(k->name, "requantize8", narrow[0], narrow[1], size, n);
  same(k->name, "its minima", range[0], range[2], (size_t)n * sizeof(int32_t), n);
  const int64_t epsilons[] = {0, 12345, (int64_t)1 << 60};
  for (int i = 0; i < 3; i++) {
    struct ivit_code_norm norm = {m, half, 45, epsilons[i]};
    k->norm_codes(wide, rows, n, &norm, first, narrow[0]);
    c->norm_codes(wide, rows, n, &norm, second, narrow[1]);
    same(k->name, "norm of codes", narrow[0], narrow[1], size, n);
    same(k->name, "its maxima", range[1], range[3], (size_t)n * sizeof(int32_t), n);
    k->norm_codes16(wide, rows, n, &norm, first, out[0]);
    c->norm_codes16(wide, rows, n, &norm, second, out[1]);
    same(k->name, "norm of codes to 16 bits", out[0], out[1], 2 * size, n);
  }

  int8_t *values = codes(size);
  int16_t table[256];
  double silu[256], slopes[256];
  for (int i = 0; i < 256; i++) {
    table[i] = i < 2 ? INT16_MIN + i : (int16_t)(i * 128 - 1);
    silu[i] = i * 0.01;
    slopes[i] = 1 - i * 0.003;
  }
  k->gate_to8(input, values, rows, n, table, &d, first, narrow[0]);
  c->gate_to8(input, values, rows, n, table, &d, second, narrow[1]);
  same(k->name, "gate", narrow[0], narrow[1], size, n);
  same(k->name, "its minima", range[0], range[2], (size_t)n * sizeof(int32_t), n);
  k->gate_to16(input, values, rows, n, table, &d, first, out[0]);
  c->gate_to16(input, values, rows, n, table, &d, second, out[1]);
  same(k->name, "gate to 16 bits", out[0], out[1], 2 * size, n);
  same(k->name, "its maxima", range[1], range[3], (size_t)n * sizeof(int32_t), n);
  float *g[4];
  for (int i = 0; i < 4; i++) {
    g[i] = memory(size * sizeof(float));
    memcpy(g[i], x, size * sizeof(float));
  }
  k->gate_backward(input, values, (int)size, silu, slopes, 0.02, g[0], g[1]);
  c->gate_backward(input, values, (int)size, silu, slopes, 0.02, g[2], g[3]);
  near(k->name, "gradient by values", g[0], g[2], (int)size);
  near(k->name, "gradient by gates", g[1], g[3], (int)size);
  for (int i = 0; i < 4; i++) {
    free(g[i]);
  }
  free(values);

  int32_t exponentials[257];
  for (int i = 0; i < 257; i++) {
    exponentials[i] = i == 256 ? 0 : (1 << 15) / (1 + i);
  }
  uint8_t *mask = codes(size);
  for (size_t i = 0; i < size; i++) {
    mask[i] = (int)(i % (size_t)n) != 0 && mask[i] > 200;
  }
  float *p = memory(size * sizeof *p);
  for (int masked = 0; masked < 2; masked++) {
    k->probabilities(input, rows, n, masked ? mask : NULL, exponentials, 1 << 15, 16, 0, x);
    c->probabilities(input, rows, n, masked ? mask : NULL, exponentials, 1 << 15, 16, 0, p);
    same(k->name, "probabilities", x, p, size * sizeof *x, n);
  }
  struct ivit_product *product = ivit_product_new(n, rows, NULL, 0, 0);
  if (product != NULL) {
    int32_t *zeros = calloc((size_t)rows, sizeof *zeros);
    int8_t *weight = codes(size), *result = memory((size_t)3 * (size_t)rows);
    int8_t *tokens = codes((size_t)3 * (size_t)n);
    int32_t *shift = memory((size_t)rows * sizeof *shift);
    int32_t *one = memory((size_t)rows * sizeof *one);
    int64_t *low = memory((size_t)rows * sizeof *low);
    for (int i = 0; i < rows; i++) {
      shift[i] = 10;
      one[i] = 1;
      low[i] = 512;
    }
    struct ivit_dyadics plain = {one, low, shift};
    uint8_t *scratch = memory(ivit_product_scratch(product, 3));
    ivit_product_load(product, weight, zeros);
    struct ivit_extremes nobody = {NULL, NULL};
    ivit_product_run(product, k, tokens, 3, &plain, nobody, scratch, 0, result);
    for (int r = 0; r < 3; r++) {
      for (int o = 0; o < rows; o++) {
        int32_t acc = 0;
        for (int i = 0; i < n; i++) {
          acc += tokens[r * n + i] * weight[o * n + i];
        }
        int32_t v = (acc + 512) >> 10;
        if (result[r * rows + o] != (v < -128 ? -128 : v > 127 ? 127 : v)) {
          fail(k->name, "product", n);
        }
      }
    }
    free(scratch);
    free(low);
    free(one);
    free(shift);
    free(tokens);
    free(result);
    free(weight);
    free(zeros);
    ivit_product_free(product);
  }
  free(p);
  free(mask);
  free(input);
  free(narrow[1]);
  free(narrow[0]);
  for (int i = 0; i < 4; i++) {
    free(range[i]);
  }
  free(half);
  free(bias);
  free(e);
  free(m);
  free(x);
  free(out[1]);
  free(out[0]);
  free(also);
  free(wide);
}

/* Heads of `dim` channels, two of them, in pictures of three tokens. */
static void check_turns(
    const struct ivit_training_kernels *k, const struct ivit_training_kernels *c, int pictures,
    int dim) {
  int table = 3 * dim, size = pictures * 3 * 3 * 2 * dim;
  int32_t *partner = memory((size_t)dim * sizeof *partner);
  int16_t *cosines = memory((size_t)table * 2), *sines = memory((size_t)table * 2);
  double *cosine = memory((size_t)table * sizeof *cosine);
  double *sine = memory((size_t)table * sizeof *sine);
  for (int i = 0; i < dim; i++) {
    partner[i] = dim % 8 == 0 ? i ^ 1 : (i + dim / 2) % dim;
  }
  for (int i = 0; i < table; i++) {
    double angle = i * 0.7;
    cosine[i] = i < dim ? 1 : cos(angle);
    sine[i] = i < dim ? 0 : sin(angle);
    cosines[i] = (int16_t)rint(16384 * cosine[i]);
    sines[i] = (int16_t)rint(16384 * sine[i]);
  }
  struct ivit_heads heads = {3, 2, dim, partner};
  int16_t *x = codes(2 * (size_t)size);
  int8_t *out[2] = {memory((size_t)size), memory((size_t)size)};
  int32_t seen[2][2] = {{INT32_MAX, INT32_MIN}, {INT32_MAX, INT32_MIN}};
  k->turn_codes(x, pictures, &heads, cosines, sines, 1 << 30, 50, out[0], seen[0]);
  c->turn_codes(x, pictures, &heads, cosines, sines, 1 << 30, 50, out[1], seen[1]);
  same(k->name, "turned codes", out[0], out[1], (size_t)size, dim);
  same(k->name, "their range", seen[0], seen[1], sizeof seen[0], dim);
  float *a = numbers(size), *b = memory((size_t)size * sizeof *b);
  memcpy(b, a, (size_t)size * sizeof *b);
  k->turn(a, pictures, 1, &heads, cosine, sine, -1);
  c->turn(b, pictures, 1, &heads, cosine, sine, -1);
  near(k->name, "turned numbers", a, b, size);
  free(b);
  free(a);
  free(out[1]);
  free(out[0]);
  free(x);
  free(sine);
  free(cosine);
  free(sines);
  free(cosines);
  free(partner);
}

int main(void) {
  const char *names[] = {"avx512", "avx2", "c"};
  const int sizes[] = {1, 2, 3, 15, 16, 17, 31, 33, 64, 100, 197, 1023, 1025};
  for (int i = 0; i < 3; i++) {
    const struct ivit_training_kernels *k = ivit_training_find(names[i]);
    if (k == NULL) {
      printf("training %s: skipped\n", names[i]);
      continue;
    }
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      for (int rows = 1; rows < 6; rows += 2) {
        check_numbers(k, ivit_training_find("c"), rows, sizes[s]);
        check_codes(k, ivit_training_find("c"), rows, sizes[s]);
      }
    }
    const int heads[] = {4, 8, 12, 16, 20, 64, 80, 1028};
    for (size_t s = 0; s < sizeof heads / sizeof *heads; s++) {
      check_turns(k, ivit_training_find("c"), 2, heads[s]);
    }
    printf("training %s: equal\n", names[i]);
  }
  return 0;
}
