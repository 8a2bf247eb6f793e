/*
 * Every kernel set that runs here against the portable one, over odd sizes and extremes; then whole
 * blocks. Meant to be built with AddressSanitizer and UBSan: see scripts/check-native.
 */
#include "model.h"
#include "pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 20) % below;
}

/* Often one of the two ends. */
static int32_t code(int32_t least, int32_t most) {
  uint32_t kind = draw(5);
  return kind == 0 ? least : kind == 1 ? most : least + (int32_t)draw((uint32_t)(most - least + 1));
}

static void fail(const char *kernels, const char *what, int a, int b, int c) {
  printf("%s: %s differs (%d, %d, %d)\n", kernels, what, a, b, c);
  exit(1);
}

static void compare(
    const char *kernels, const char *what, const void *found, const void *expected, size_t bytes,
    int a, int b, int c) {
  if (memcmp(found, expected, bytes) != 0) {
    fail(kernels, what, a, b, c);
  }
}

static void random_multipliers(int32_t *m, uint8_t *e, int n) {
  int usual = 9 + (int)draw(54);
  for (int i = 0; i < n; i++) {
    e[i] = (uint8_t)(draw(4) == 0 ? 9 + (int)draw(54) : usual);
    m[i] = draw(4) == 0 ? 1 << 30 : draw(4) == 0 ? INT32_MAX : (1 << 30) + (int32_t)draw(1u << 30);
  }
}

static struct ivit_linear *random_linear(
    struct ivit_arena *arena, int inputs, int outputs, int outliers, int logits) {
  int8_t *w = ivit_arena_take(arena, (size_t)inputs * (size_t)outputs);
  int32_t *bias = ivit_arena_take(arena, (size_t)outputs * sizeof *bias);
  int32_t *m = ivit_arena_take(arena, (size_t)outputs * sizeof *m);
  uint8_t *e = ivit_arena_take(arena, (size_t)outputs);
  int32_t *set = ivit_arena_take(arena, (size_t)outliers * sizeof *set);
  for (int i = 0; i < inputs * outputs; i++) {
    w[i] = (int8_t)code(-128, 127);
  }
  random_multipliers(m, e, outputs);
  for (int c = 0; c < outputs; c++) {
    bias[c] = code(-1000000, 1000000);
    e[c] = logits && e[c] < 34 ? 34 : e[c];
  }
  for (int i = 0; i < outliers; i++) {
    set[i] = i * inputs / outliers;
  }
  int shift = outliers == 0 ? 0 : 1 + (int)draw(4);
  return ivit_linear_new(
      arena, w, inputs, outputs, bias, set, outliers, shift, m, e, logits);
}

/* Tiles of every height, and what follows them. */
static void products(const struct ivit_kernels *k) {
  enum { STRIDE = 704, OUT = 256 };
  for (int round = 0; round < 400; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int inputs = 1 + (int)draw(600), outputs = 1 + (int)draw(200);
    int outliers = draw(2) == 0 ? 0 : 1 + (int)draw((uint32_t)(inputs < 40 ? inputs : 40));
    int rows = 1 + (int)draw((uint32_t)k->rows);
    struct ivit_linear *l = random_linear(arena, inputs, outputs, outliers, 0);
    uint8_t *x = ivit_arena_take(arena, IVIT_TILE_ROWS * STRIDE);
    uint8_t *high = ivit_arena_take(arena, IVIT_TILE_ROWS * 64);
    for (int i = 0; i < IVIT_TILE_ROWS * STRIDE; i++) {
      x[i] = (uint8_t)code(0, 255);
    }
    for (int i = 0; i < IVIT_TILE_ROWS * 64; i++) {
      high[i] = (uint8_t)code(0, 255);
    }
    int panel = (int)draw((uint32_t)l->operand.main.panels);
    int column = panel * IVIT_COLUMNS;
    int n = outputs - column < IVIT_COLUMNS ? outputs - column : IVIT_COLUMNS;
    int32_t *acc = ivit_arena_take(arena, IVIT_TILE_ROWS * IVIT_COLUMNS * sizeof *acc);
    int32_t *expected = ivit_arena_take(arena, IVIT_TILE_ROWS * IVIT_COLUMNS * sizeof *acc);
    ivit_tile_c(x, STRIDE, high, 64, rows, &l->operand, panel, expected);
    if (k->enter != NULL) {
      k->enter();
    }
    k->tile(x, STRIDE, high, 64, rows, &l->operand, panel, acc);
    if (k->leave != NULL) {
      k->leave();
    }
    for (int r = 0; r < rows; r++) {
      compare(
          k->name, "tile", acc + r * IVIT_COLUMNS, expected + r * IVIT_COLUMNS,
          (size_t)n * sizeof *acc, inputs, outputs, rows);
    }

    int8_t table[256], other[256];
    for (int i = 0; i < 256; i++) {
      table[i] = (int8_t)draw(256);
      other[i] = (int8_t)draw(256);
    }
    int32_t marked[2] = {0, outputs - 1};
    struct ivit_gelu *gelu = ivit_gelu_new(
        arena, 0, table, other, marked, outputs > 1 ? (int)draw(3) : 0, outputs);
    struct ivit_adder adder;
    int set = ivit_dyadic_set(&adder.branch, (1 << 30) + (int)draw(1 << 30), 17 + (int)draw(45))
        && ivit_dyadic_set(&adder.identity, (1 << 30) + (int)draw(1 << 30), 17 + (int)draw(45));
    if (!set) {
      fail(k->name, "adder refused", 0, 0, 0);
    }
    uint8_t *codes[2][IVIT_TILE_ROWS];
    int16_t *sums[2][IVIT_TILE_ROWS];
    for (int i = 0; i < 2; i++) {
      for (int r = 0; r < IVIT_TILE_ROWS; r++) {
        codes[i][r] = ivit_arena_take(arena, OUT);
        sums[i][r] = ivit_arena_take(arena, OUT * sizeof(int16_t));
        for (int c = 0; c < OUT; c++) {
          sums[i][r][c] = i == 0 ? (int16_t)code(-32768, 32767) : sums[0][r][c];
        }
      }
    }
    for (int i = 0; i < IVIT_TILE_ROWS * IVIT_COLUMNS; i++) {
      acc[i] = draw(3) == 0 ? code(-INT32_MAX / 2, INT32_MAX / 2) : code(-5000, 5000);
    }
    for (int with = 0; with < 2; with++) {
      const struct ivit_gelu *g = with ? gelu : NULL;
      k->to8(acc, rows, &l->requant, g, column, n, codes[0]);
      ivit_to8_c(acc, rows, &l->requant, g, column, n, codes[1]);
      for (int r = 0; r < rows; r++) {
        compare(k->name, "to8", codes[0][r], codes[1][r], OUT, outputs, column, rows);
      }
    }
    k->add16(
        acc, rows, &l->requant, &adder, column, n, (const int16_t *const *)sums[0], sums[0]);
    ivit_add16_c(
        acc, rows, &l->requant, &adder, column, n, (const int16_t *const *)sums[1], sums[1]);
    for (int r = 0; r < rows; r++) {
      compare(
          k->name, "add16", sums[0][r], sums[1][r], OUT * sizeof(int16_t), outputs, column, rows);
    }
    ivit_arena_free(arena);
  }
}

static void norms(const struct ivit_kernels *k) {
  for (int round = 0; round < 400; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int channels = 1 + (int)draw(300);
    int32_t *m = ivit_arena_take(arena, (size_t)channels * sizeof *m);
    int64_t *b = ivit_arena_take(arena, (size_t)channels * sizeof *b);
    int16_t *x = ivit_arena_take(arena, (size_t)channels * sizeof *x);
    uint8_t *found = ivit_arena_take(arena, 512);
    uint8_t *expected = ivit_arena_take(arena, 512);
    int kind = (int)draw(4);
    for (int c = 0; c < channels; c++) {
      m[c] = code(-INT32_MAX / 2, INT32_MAX / 2);
      b[c] = code(-1000, 1000) * ((int64_t)1 << draw(51));
      x[c] = (int16_t)(kind == 0 ? -32768 : kind == 1 ? code(-3, 3) : code(-32768, 32767));
    }
    struct ivit_norm *norm = ivit_norm_new(arena, m, b, channels, 1 + (int)draw(62));
    k->norm(x, norm, found);
    ivit_norm_c(x, norm, expected);
    compare(k->name, "norm", found, expected, 512, channels, norm->shift, kind);
    int16_t *wide = ivit_arena_take(arena, 1024);
    int16_t *wide_expected = ivit_arena_take(arena, 1024);
    k->norm16(x, norm, wide);
    ivit_norm16_c(x, norm, wide_expected);
    compare(k->name, "norm16", wide, wide_expected, 1024, channels, norm->shift, kind);
    ivit_arena_free(arena);
  }
}

static void rows_of_scores(const struct ivit_kernels *k) {
  for (int round = 0; round < 400; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int n = 1 + (int)draw(270);
    size_t row = ivit_round_up((size_t)n, 64);
    int heads = 1 + (int)draw(2);
    int32_t score[256];
    int32_t *bias = ivit_arena_take(arena, (size_t)(heads * n * n) * sizeof *bias);
    uint64_t *mask = ivit_arena_take(arena, (size_t)n * row / 64 * sizeof *mask);
    int range = draw(3) == 0 ? 1 << 29 : 200;
    for (int i = 0; i < 256; i++) {
      score[i] = code(-range, range - 1);
    }
    for (int i = 0; i < heads * n * n; i++) {
      bias[i] = code(-range, range - 1);
    }
    struct ivit_window *w = ivit_window_new(arena, score, bias, heads, n, mask, 1);
    int query = (int)draw((uint32_t)n), head = (int)draw((uint32_t)heads);
    uint8_t *found = ivit_arena_take(arena, row);
    uint8_t *expected = ivit_arena_take(arena, row);
    for (int i = 0; i < n; i++) {
      found[i] = expected[i] = (uint8_t)code(0, 255);
    }
    k->bias(found, w, head, query);
    ivit_bias_c(expected, w, head, query);
    compare(k->name, "bias", found, expected, (size_t)n, n, head, query);

    int32_t table[257];
    int32_t first = draw(2) == 0 ? 1 << 15 : (int32_t)(1 + draw(INT32_MAX / 300));
    for (int d = 0; d < 257; d++) {
      table[d] = d == 0 ? first : (int32_t)draw((uint32_t)first + 1);
    }
    int deferred = draw(3) == 0;
    if (deferred) {
      for (int d = 0; d < 257; d++) {
        table[d] &= 255;
      }
      table[0] = 255;
    }
    int bits = deferred ? 8 : 2 + (int)draw(15);
    struct ivit_softmax softmax;
    ivit_softmax_set(&softmax, table, deferred || draw(2) == 0 ? 0 : 1 << (31 - bits), bits, deferred);
    uint64_t *hidden = NULL;
    if (draw(2) == 0) {
      hidden = mask;
      for (int i = 0; i < n; i++) {
        if (i != query && draw(3) == 0) {
          hidden[i / 64] |= (uint64_t)1 << i % 64;
        }
      }
    }
    uint8_t *p[2][2];
    for (int i = 0; i < 2; i++) {
      p[i][0] = ivit_arena_take(arena, row);
      p[i][1] = ivit_arena_take(arena, row);
      memset(p[i][0], 77, row);
      memset(p[i][1], 77, row);
    }
    int32_t factor[2];
    factor[0] = k->softmax(expected, n, hidden, &softmax, p[0][0], p[0][1]);
    factor[1] = ivit_softmax_c(expected, n, hidden, &softmax, p[1][0], p[1][1]);
    compare(k->name, "factor", &factor[0], &factor[1], sizeof(int32_t), n, bits, deferred);
    compare(k->name, "probabilities", p[0][1], p[1][1], row, n, bits, softmax.narrow);
    if (bits > 8) {
      compare(k->name, "upper bytes", p[0][0], p[1][0], row, n, bits, softmax.narrow);
    }
    ivit_arena_free(arena);
  }
}

static void normalised_rows(const struct ivit_kernels *k) {
  for (int round = 0; round < 500; round++) {
    int32_t acc[2][IVIT_TILE_ROWS * IVIT_COLUMNS];
    int32_t factor[IVIT_TILE_ROWS];
    int rows = 1 + (int)draw(IVIT_TILE_ROWS);
    for (int r = 0; r < rows; r++) {
      int32_t sum = 255 + (int32_t)draw(1 + (draw(2) == 0 ? 255 : 255 * 65535 - 255));
      factor[r] = INT32_MAX / sum;
      for (int c = 0; c < IVIT_COLUMNS; c++) {
        int32_t z = code(-128, 127) * (sum - (int32_t)(draw(2) * draw((uint32_t)sum)));
        acc[0][r * IVIT_COLUMNS + c] = acc[1][r * IVIT_COLUMNS + c] = z;
      }
    }
    k->normalise(acc[0], rows, factor);
    ivit_normalise_c(acc[1], rows, factor);
    compare(
        k->name, "normalised", acc[0], acc[1], (size_t)rows * IVIT_COLUMNS * sizeof(int32_t), rows,
        0, 0);
  }
}

/* Sizes of a model of one block over `tokens` tokens with one leading token. */
struct sizes {
  int grid, patch, heads, head_dim, hidden, classes, bits, outliers;
};

static struct ivit_model *random_model(const struct ivit_kernels *k, struct sizes z) {
  int dim = z.heads * z.head_dim, tokens = z.grid * z.grid + 1;
  struct ivit_model *m = ivit_model_new(k, z.grid * z.patch, z.patch);
  struct ivit_arena *a = m->arena;
  struct ivit_block *b = ivit_arena_take(a, sizeof *b);
  int32_t *ones = ivit_arena_take(a, (size_t)dim * sizeof *ones);
  int64_t *zeros = ivit_arena_take(a, (size_t)dim * sizeof *zeros);
  for (int c = 0; c < dim; c++) {
    ones[c] = 1 + (int32_t)draw(1 << 30);
    zeros[c] = (int64_t)draw(1000) << 40;
  }
  b->dim = dim;
  b->hidden = z.hidden;
  b->tokens = tokens;
  b->norm1 = b->norm2 = ivit_norm_new(a, ones, zeros, dim, 52);
  b->qkv = random_linear(a, dim, 3 * dim, z.outliers, 0);
  b->proj = random_linear(a, dim, dim, z.outliers, 0);
  b->fc1 = random_linear(a, dim, z.hidden, 0, 0);
  b->fc2 = random_linear(a, z.hidden, dim, 0, 0);
  int8_t table[256];
  for (int i = 0; i < 256; i++) {
    table[i] = (int8_t)draw(256);
  }
  b->gelu = ivit_gelu_new(a, 0, table, table, NULL, 0, z.hidden);
  b->attention = ivit_arena_take(a, sizeof *b->attention);
  b->attention->heads = z.heads;
  b->attention->head_dim = z.head_dim;
  b->attention->tokens = tokens;
  int32_t exponentials[257];
  for (int d = 0; d < 257; d++) {
    exponentials[d] = (1 << 15) / (1 + d);
  }
  ivit_softmax_set(&b->attention->softmax, exponentials, 1 << (31 - z.bits), z.bits, 0);
  int columns = (int)ivit_round_up((size_t)tokens, 32);
  int32_t *mu = ivit_arena_take(a, (size_t)(columns + z.head_dim) * sizeof *mu);
  uint8_t *e = ivit_arena_take(a, (size_t)(columns + z.head_dim));
  for (int c = 0; c < columns + z.head_dim; c++) {
    mu[c] = (1 << 30) + 12345;
    e[c] = 40;
  }
  ivit_requant_set(a, &b->attention->scores, mu, e, columns);
  b->attention->context = ivit_arena_take(a, (size_t)z.heads * sizeof(struct ivit_requant));
  for (int h = 0; h < z.heads; h++) {
    ivit_requant_set(a, &b->attention->context[h], mu, e, z.head_dim);
  }
  ivit_dyadic_set(&b->residual1.branch, 1 << 30, 31);
  b->residual1.identity = b->residual2.branch = b->residual2.identity = b->residual1.branch;

  struct ivit_step *embed = ivit_model_add_step(m, IVIT_EMBED, tokens, dim);
  embed->linear = random_linear(a, 3 * z.patch * z.patch, dim, 0, 0);
  embed->leading = 1;
  embed->leading_codes = ivit_arena_take(a, (size_t)dim * sizeof(int16_t));
  embed->positions = ivit_arena_take(a, (size_t)(tokens * dim) * sizeof(int16_t));
  embed->adder = b->residual1;
  embed->next = b;
  ivit_model_add_step(m, IVIT_BLOCK, tokens, dim)->block = b;
  struct ivit_step *head = ivit_model_add_step(m, IVIT_HEAD, 1, dim);
  head->norm = b->norm1;
  head->linear = random_linear(a, dim, z.classes, 0, 1);
  m->classes = z.classes;
  m->most_tokens = (size_t)tokens * (size_t)dim;
  m->most_qkv = (size_t)tokens * ivit_stride(3 * (size_t)dim);
  m->most_context = (size_t)tokens * ivit_stride((size_t)dim);
  m->most_inputs = z.hidden;
  m->most_inputs = m->most_inputs < dim ? dim : m->most_inputs;
  m->most_inputs = m->most_inputs < embed->linear->inputs ? embed->linear->inputs : m->most_inputs;
  m->most_outliers = z.outliers;
  m->most_dim = dim;
  m->most_hidden = z.hidden < 3 * dim ? 3 * dim : z.hidden;
  m->most_group = tokens;
  m->most_head_dim = z.head_dim;
  return m;
}

static void run_model(const struct ivit_kernels *k, struct sizes z, int32_t *logits) {
  struct ivit_model *m = random_model(k, z);
  struct ivit_picture *p = ivit_picture_new(m);
  struct ivit_scratch *s = ivit_scratch_new(m);
  for (int i = 0; i < 3 * m->image * m->image; i++) {
    p->codes[i] = (int8_t)code(-128, 127);
  }
  for (int step = 0; step < m->steps; step++) {
    int rows = m->step[step].rows;
    int half = rows / 3;
    ivit_model_run(m, step, p, s, half, rows);
    ivit_model_run(m, step, p, s, 0, half);
  }
  memcpy(logits, p->logits, (size_t)z.classes * sizeof *logits);
  ivit_scratch_free(s);
  ivit_picture_free(p);
  ivit_model_free(m);
}

static void models(const struct ivit_kernels *k) {
  for (int round = 0; round < 40; round++) {
    struct sizes z = {
        1 + (int)draw(13), 1 + (int)draw(6), 1 + (int)draw(3), 1 + (int)draw(70),
        1 + (int)draw(200), 1 + (int)draw(50), draw(2) == 0 ? 8 : 16, 0};
    z.outliers = draw(2) == 0 ? 0 : 1 + (int)draw((uint32_t)(z.heads * z.head_dim));
    uint64_t seed = state;
    int32_t found[64], expected[64];
    run_model(k, z, found);
    state = seed;
    run_model(&ivit_kernels_c, z, expected);
    compare(
        k->name, "model", found, expected, (size_t)z.classes * sizeof *found, z.grid, z.head_dim,
        round);
  }
}

int main(void) {
  const char *names[] = {"amx", "vnni", "avx2", "c"};
  for (int i = 0; i < 4; i++) {
    const char *reason = NULL;
    const struct ivit_kernels *k = ivit_kernels_find(names[i], &reason);
#if defined(IVIT_EMULATE_AMX)
    if (i == 0 && ivit_kernels_find("vnni", &reason) != NULL) {
      k = &ivit_kernels_amx;
      printf("amx: emulated\n");
    }
#endif
    if (k == NULL) {
      printf("%s: skipped, %s\n", names[i], reason);
      continue;
    }
    products(k);
    norms(k);
    rows_of_scores(k);
    normalised_rows(k);
    models(k);
    printf("%s: equal\n", names[i]);
  }
  return 0;
}
