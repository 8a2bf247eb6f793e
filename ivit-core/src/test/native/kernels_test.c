/*
 * Every kernel set that runs here against the portable one, over odd sizes and extremes; then whole
 * blocks. Meant to be built with AddressSanitizer and UBSan: see scripts/check-native. With an
 * argument, the name of a set, only this set, which then must be the fastest that runs here.
 */
#include "model.h"
#include "pack.h"
#if defined(__x86_64__)
#include "plan_avx2.h"
#endif

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

/* Whether layers take the codes of weights of fewer bits. */
static int codes_only;

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

/* Index k of a column that lies from `row` on, of `bits` bits, lowest first. */
static void put_index(uint8_t *row, int bits, int k, int index) {
  for (int i = k * bits; i < (k + 1) * bits; i++, index >>= 1) {
    row[i / 8] |= (uint8_t)((index & 1) << i % 8);
  }
}

/* Weights of 4 to 6 bits of either coding, and the codes [outputs][inputs] that they stand for. */
static struct ivit_indices random_indices(
    struct ivit_arena *arena, int inputs, int outputs, int8_t *codes) {
  int bits = 4 + (int)draw(3), tables = (int)draw(2);
  int shift = tables || (bits == 4 && draw(4) > 0) ? 0 : (int)draw((uint32_t)bits);
  int groups = (inputs + IVIT_GROUP - 1) / IVIT_GROUP, entries = 1 << bits;
  int most = (127 << shift) >> (bits - 1), row = (inputs * bits + 7) / 8;
  /* One set keeps tables as indices only where no code is -128. */
  int least = draw(3) == 0 ? -128 : -127;
  uint8_t *index = ivit_arena_take(arena, (size_t)row * (size_t)outputs);
  int8_t *table = ivit_arena_take(arena, (size_t)(outputs * entries));
  uint8_t *multiplier = ivit_arena_take(arena, (size_t)outputs * (size_t)groups);
  for (int i = 0; i < entries * outputs; i++) {
    table[i] = (int8_t)code(least, 127);
  }
  for (int i = 0; i < groups * outputs; i++) {
    multiplier[i] = (uint8_t)code(1, most < 127 ? most : 127);
  }
  for (int c = 0; c < outputs; c++) {
    for (int i = 0; i < inputs; i++) {
      int drawn = code(0, entries - 1);
      int product = (drawn - entries / 2) * multiplier[c * groups + i / IVIT_GROUP];
      put_index(index + c * row, bits, i, drawn);
      codes[c * inputs + i] =
          (int8_t)(tables ? table[entries * c + drawn] : (product + (1 << shift >> 1)) >> shift);
    }
  }
  return (struct ivit_indices){
      index, tables ? table : NULL, tables ? NULL : multiplier, bits, shift};
}

/*
 * The same layer as packed by several kernel sets; of weights of fewer bits at times, of which
 * portable C takes the codes.
 */
static void random_linears(
    const struct ivit_kernels *const *k, int sets, struct ivit_linear **l,
    struct ivit_arena *arena, int inputs, int outputs, int outliers, int logits) {
  int8_t *w = ivit_arena_take(arena, (size_t)inputs * (size_t)outputs);
  int32_t *bias = ivit_arena_take(arena, (size_t)outputs * sizeof *bias);
  int32_t *m = ivit_arena_take(arena, (size_t)outputs * sizeof *m);
  uint8_t *e = ivit_arena_take(arena, (size_t)outputs);
  int32_t *set = ivit_arena_take(arena, (size_t)outliers * sizeof *set);
  int fewer = draw(2) == 0;
  struct ivit_indices indices = {NULL, NULL, NULL, 0, 0};
  if (fewer) {
    indices = random_indices(arena, inputs, outputs, w);
  }
  for (int i = 0; !fewer && i < inputs * outputs; i++) {
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
  struct ivit_layer layer = {inputs, outputs, bias, set, outliers, shift, m, e, logits};
  for (int i = 0; i < sets; i++) {
    l[i] = fewer && (sets == 1 || i == 0) && !codes_only
        ? ivit_linear_of_indices(k[i], arena, &indices, &layer)
        : ivit_linear_new(k[i], arena, w, &layer);
  }
}

static struct ivit_linear *random_linear(
    const struct ivit_kernels *k, struct ivit_arena *arena, int inputs, int outputs, int outliers,
    int logits) {
  struct ivit_linear *l;
  random_linears(&k, 1, &l, arena, inputs, outputs, outliers, logits);
  return l;
}

/* Codes as one set stores them, as another does. */
static void restore(
    const uint8_t *from, uint8_t zero, uint8_t *to, uint8_t other, size_t n) {
  for (size_t i = 0; i < n; i++) {
    to[i] = (uint8_t)(from[i] - zero + other);
  }
}

/* Rows as the tiles of a set read them. */
static uint8_t *arranged(
    struct ivit_arena *arena, const struct ivit_kernels *k, uint8_t *x, size_t stride, int n,
    size_t arranged_stride) {
  if (k->arrange == NULL || n == 0) {
    return x;
  }
  uint8_t *out = ivit_arena_take(arena, IVIT_TILE_ROWS * arranged_stride);
  for (int r = 0; r < IVIT_TILE_ROWS; r++) {
    k->arrange(x + (size_t)r * stride, n, out + (size_t)r * arranged_stride);
  }
  return out;
}

/* Weights that are kept as indices, as their tile reads them. */
static void decode(struct ivit_arena *arena, struct ivit_operand *w, int panel) {
  struct ivit_matrix *m = &w->main;
  if (m->decoding != NULL) {
    int8_t *to = ivit_arena_take(arena, m->panel_size);
    memset(to, 55, m->panel_size);
    m->decoding->decode(m, panel, to);
    m->data = to;
    m->panel_size = 0;
  }
}

/* Tiles of every height, and what follows them. */
static void products(const struct ivit_kernels *k) {
  enum { STRIDE = 704, OUT = 256 };
  for (int round = 0; round < 400; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int inputs = 1 + (int)draw(600), outputs = 1 + (int)draw(200);
    int outliers = draw(2) == 0 ? 0 : 1 + (int)draw((uint32_t)(inputs < 40 ? inputs : 40));
    const struct ivit_kernels *both[] = {k, &ivit_kernels_c};
    struct ivit_linear *ls[2];
    random_linears(both, 2, ls, arena, inputs, outputs, outliers, 0);
    struct ivit_linear *l = ls[0];
    const struct ivit_decoding *decoding = l->operand.main.decoding;
    int rows = 1 + (int)draw((uint32_t)(decoding == NULL ? k->rows : decoding->rows));
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
    ivit_tile_c(x, STRIDE, high, 64, rows, &ls[1]->operand, panel, expected);
    restore(x, 128, x, k->zero, IVIT_TILE_ROWS * STRIDE);
    restore(high, 128, high, k->zero, IVIT_TILE_ROWS * 64);
    if (k->enter != NULL) {
      k->enter();
    }
    size_t ldx = (size_t)k->planes * ivit_round_up((size_t)inputs, 64);
    size_t ldh = (size_t)k->planes * ivit_round_up((size_t)outliers, 64);
    int as_they_are = k->arrange == NULL || (decoding != NULL && !decoding->arranged);
    x = as_they_are ? x : arranged(arena, k, x, STRIDE, inputs, ldx);
    high = arranged(arena, k, high, 64, outliers, ldh);
    struct ivit_operand w = l->operand;
    decode(arena, &w, panel);
    (decoding == NULL ? k->tile : decoding->tile)(
        x, as_they_are ? STRIDE : ldx, high, k->arrange == NULL ? 64 : ldh, rows, &w, panel, acc);
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
    int apart = outputs > 1 ? (int)draw(3) : 0;
    struct ivit_gelu *gelus[2];
    for (int i = 0; i < 2; i++) {
      gelus[i] = ivit_gelu_new(both[i]->zero, arena, 0, table, other, marked, apart, outputs);
    }
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
      k->to8(acc, rows, &l->requant, with ? gelus[0] : NULL, column, n, codes[0]);
      ivit_to8_c(acc, rows, &l->requant, with ? gelus[1] : NULL, column, n, codes[1]);
      for (int r = 0; r < rows; r++) {
        restore(codes[0][r] + column, k->zero, codes[0][r] + column, 128, (size_t)n);
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

/* A pair's sine and cosine, often one of them at an end. */
static void random_turn(int16_t *turn) {
  int kind = (int)draw(5), first = (int)draw(2);
  turn[first] = (int16_t)(kind == 0 ? 1 << 14 : kind == 1 ? -(1 << 14) : code(-11585, 11585));
  turn[1 - first] = (int16_t)(kind < 2 ? 0 : code(-11585, 11585));
}

/* An accumulator, often such that its 16-bit code is one of the ends or a tie of the next step. */
static int32_t accumulator(void) {
  uint32_t kind = draw(3);
  return kind == 0 ? code(-INT32_MAX / 2, INT32_MAX / 2)
      : kind == 1  ? (code(-32768, 32767) * 2 + (int32_t)draw(2)) * (1 << draw(8))
                   : code(-5000, 5000);
}

/* A multiplier by which numbers up to `bits` bits become codes, ties among them, or any other. */
static void one_multiplier(int bits, int32_t *m, uint8_t *e) {
  random_multipliers(m, e, 1);
  if (draw(2) == 0) {
    *e = (uint8_t)(30 + bits - 8 - (int)draw(3));
  }
}

/* Queries, keys and values that turn. */
static void turned_rows(const struct ivit_kernels *k) {
  enum { OUT = 256 };
  for (int round = 0; round < 400; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int rows = 1 + (int)draw((uint32_t)k->rows), outputs = 4 * (1 + (int)draw(50));
    int panels = (outputs + IVIT_COLUMNS - 1) / IVIT_COLUMNS;
    int column = (int)draw((uint32_t)panels) * IVIT_COLUMNS;
    int n = outputs - column < IVIT_COLUMNS ? outputs - column : IVIT_COLUMNS;
    struct ivit_linear *l = random_linear(k, arena, 4, outputs, 0, 0);
    int32_t m;
    uint8_t e;
    one_multiplier(30, &m, &e);
    struct ivit_rotation *rotation = ivit_rotation_new(arena, NULL, m, e);
    int32_t acc[IVIT_TILE_ROWS * IVIT_COLUMNS];
    int16_t turns[IVIT_TILE_ROWS][2 * IVIT_COLUMNS];
    const int16_t *of_rows[IVIT_TILE_ROWS];
    uint8_t *codes[2][IVIT_TILE_ROWS];
    for (int r = 0; r < IVIT_TILE_ROWS; r++) {
      of_rows[r] = turns[r];
      for (int c = 0; c < IVIT_COLUMNS; c++) {
        acc[r * IVIT_COLUMNS + c] = accumulator();
        random_turn(turns[r] + 2 * c);
      }
      for (int i = 0; i < 2; i++) {
        codes[i][r] = ivit_arena_take(arena, OUT);
      }
    }
    k->turn8(acc, rows, &l->requant, &rotation->requant, column, n, of_rows, codes[0]);
    ivit_turn8_c(acc, rows, &l->requant, &rotation->requant, column, n, of_rows, codes[1]);
    for (int r = 0; r < rows; r++) {
      restore(codes[0][r] + column, k->zero, codes[0][r] + column, 128, (size_t)n);
      compare(k->name, "turn8", codes[0][r], codes[1][r], OUT, outputs, column, rows);
    }
    ivit_arena_free(arena);
  }
}

/* Turns against the sums that they stand for, [tokens][channels] of heads that straddle panels. */
static void tables_of_turns(void) {
  for (int round = 0; round < 200; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int head_dim = 4 * (1 + (int)draw(20)), heads = 1 + (int)draw(5);
    int tokens = 1 + (int)draw(9), dim = heads * head_dim;
    size_t length = (size_t)(tokens * head_dim);
    int16_t *cos = ivit_arena_take(arena, length * sizeof *cos);
    int16_t *sin = ivit_arena_take(arena, length * sizeof *sin);
    for (size_t i = 0; i < length; i++) {
      int16_t turn[2];
      random_turn(turn);
      cos[i] = turn[0];
      sin[i] = turn[1];
    }
    struct ivit_turns *t = ivit_turns_new(arena, cos, sin, tokens, heads, head_dim);
    for (int token = 0; token < tokens; token++) {
      for (int c = 0; c < 3 * dim; c++) {
        int at = token * head_dim + c % head_dim;
        int own = c < 2 * dim ? cos[at] : 1 << 14, other = c < 2 * dim ? sin[at] : 0;
        const int16_t *row = t->table
            + ((size_t)t->pattern[c / 32] * (size_t)tokens + (size_t)token) * 64 + c % 2 * 32;
        int first = c % 32 / 2 * 2;
        if (row[first + c % 2] != own || row[first + 1 - c % 2] != other) {
          fail("turns", "table", head_dim, heads, c);
        }
      }
    }
    ivit_arena_free(arena);
  }
}

/* Gated values of both widths. */
static void gated_rows(const struct ivit_kernels *k) {
  enum { OUT = 256 };
  for (int round = 0; round < 400; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int rows = 1 + (int)draw((uint32_t)k->rows), channels = 1 + (int)draw(200);
    int panels = (channels + IVIT_COLUMNS - 1) / IVIT_COLUMNS;
    int column = (int)draw((uint32_t)panels) * IVIT_COLUMNS;
    int n = channels - column < IVIT_COLUMNS ? channels - column : IVIT_COLUMNS;
    int16_t table[256];
    for (int i = 0; i < 256; i++) {
      table[i] = (int16_t)code(-32768, 32767);
    }
    int32_t *m = ivit_arena_take(arena, (size_t)channels * sizeof *m);
    uint8_t *e = ivit_arena_take(arena, (size_t)channels);
    random_multipliers(m, e, channels);
    for (int c = 0; c < channels; c += 1 + (int)draw(4)) {
      one_multiplier(22, m + c, e + c);
    }
    const struct ivit_kernels *both[] = {k, &ivit_kernels_c};
    const uint8_t *gates[2][IVIT_TILE_ROWS], *values[2][IVIT_TILE_ROWS];
    uint8_t *codes[2][IVIT_TILE_ROWS];
    int16_t *words[2][IVIT_TILE_ROWS];
    uint8_t stored[2][OUT];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < OUT; c++) {
        stored[0][c] = (uint8_t)code(0, 255);
        stored[1][c] = (uint8_t)code(0, 255);
      }
      for (int i = 0; i < 2; i++) {
        uint8_t *gate = ivit_arena_take(arena, OUT), *value = ivit_arena_take(arena, OUT);
        restore(stored[0], 128, gate, both[i]->zero, OUT);
        restore(stored[1], 128, value, both[i]->zero, OUT);
        gates[i][r] = gate;
        values[i][r] = value;
        codes[i][r] = ivit_arena_take(arena, OUT);
        words[i][r] = ivit_arena_take(arena, OUT * sizeof(int16_t));
      }
    }
    for (int i = 0; i < 2; i++) {
      struct ivit_gating *g = ivit_gating_new(both[i]->zero, arena, table, m, e, channels);
      both[i]->gate8(gates[i], values[i], rows, g, column, n, codes[i]);
      both[i]->gate16(gates[i], values[i], rows, g, column, n, words[i]);
    }
    for (int r = 0; r < rows; r++) {
      restore(codes[0][r] + column, k->zero, codes[0][r] + column, 128, (size_t)n);
      compare(k->name, "gate8", codes[0][r], codes[1][r], OUT, channels, column, rows);
      compare(
          k->name, "gate16", words[0][r], words[1][r], OUT * sizeof(int16_t), channels, column,
          rows);
    }
    ivit_arena_free(arena);
  }
}

/*
 * Four weights whose sums lie on the bounds of docs/arithmetic.md#sixteen-bits-that-hold or one
 * beyond: 128 or 129 of one sign, 255 to 258 of both, -128.
 */
static void four_on_the_bound(int8_t *w) {
  static const int8_t fours[][4] = {
      {64, 64, -64, -64}, {64, 64, 1, -128},  {127, 1, -127, -1},  {127, 2, 0, 0},
      {127, 127, 1, 0},   {127, 127, 1, 1},   {-127, -127, -1, 0}, {-127, -127, -1, -1},
      {32, 32, 32, 32},   {32, 32, 32, 33},   {-32, -32, -32, 32}, {-128, -128, -128, -128},
      {127, 127, 127, 127}, {-127, -1, 0, 0}, {-127, -2, 0, 0},    {100, 28, -28, -100},
      {127, -1, 0, 0},    {127, -2, 0, 0},    {127, 2, 2, 2},      {-127, -2, -2, -2}};
  memcpy(w, fours[draw(sizeof fours / sizeof *fours)], 4);
  for (int i = 3; i > 0; i--) {
    int j = (int)draw((uint32_t)i + 1);
    int8_t kept = w[i];
    w[i] = w[j];
    w[j] = kept;
  }
}

/* Codes of few values [outputs][inputs] as indices of 5 bits of tables that have each of them. */
static struct ivit_indices by_tables(
    struct ivit_arena *arena, const int8_t *w, int inputs, int outputs) {
  enum { BITS = 5, ENTRIES = 1 << BITS };
  int row = (inputs * BITS + 7) / 8;
  uint8_t *index = ivit_arena_take(arena, (size_t)(row * outputs));
  int8_t *table = ivit_arena_take(arena, (size_t)(ENTRIES * outputs));
  for (int c = 0; c < outputs; c++) {
    int entries = 0;
    for (int k = 0; k < inputs; k++) {
      int i = 0;
      while (i < entries && table[ENTRIES * c + i] != w[c * inputs + k]) {
        i++;
      }
      if (i == entries) {
        table[ENTRIES * c + entries++] = w[c * inputs + k];
      }
      put_index(index + c * row, BITS, k, i);
    }
  }
  return (struct ivit_indices){index, table, NULL, BITS, 0};
}

/* Products whose partial sums are as large as codes can make them, in one column each row. */
static void sixteen_bits(const struct ivit_kernels *k) {
  enum { DEPTH = 256, STRIDE = 320 };
  for (int round = 0; round < 300; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int inputs = 4 * (1 + (int)draw(DEPTH / 4)), outputs = 1 + (int)draw(40);
    int8_t *w = ivit_arena_take(arena, (size_t)(inputs * outputs));
    int32_t *bias = ivit_arena_take(arena, (size_t)outputs * sizeof *bias);
    int32_t *m = ivit_arena_take(arena, (size_t)outputs * sizeof *m);
    uint8_t *e = ivit_arena_take(arena, (size_t)outputs);
    random_multipliers(m, e, outputs);
    int alike = draw(2) == 0;
    for (int i = 0; i < inputs * outputs; i += 4) {
      if (alike && i >= inputs) {
        memcpy(w + i, w + i % inputs, 4);
      } else {
        four_on_the_bound(w + i);
      }
    }
    struct ivit_layer layer = {inputs, outputs, bias, NULL, 0, 0, m, e, 0};
    int tables = (int)draw(2);
    for (int i = 0; tables && i < inputs * outputs; i++) {
      /* Otherwise one set would not keep the indices. */
      w[i] = w[i] < -127 ? -127 : w[i];
    }
    struct ivit_indices indices = by_tables(arena, w, inputs, outputs);
    struct ivit_linear *l = tables ? ivit_linear_of_indices(k, arena, &indices, &layer)
                                   : ivit_linear_new(k, arena, w, &layer);
    uint8_t *x = ivit_arena_take(arena, IVIT_TILE_ROWS * STRIDE);
    int32_t expected[IVIT_TILE_ROWS];
    int column[IVIT_TILE_ROWS];
    for (int r = 0; r < k->rows; r++) {
      column[r] = (int)draw((uint32_t)outputs);
      const int8_t *of = w + column[r] * inputs;
      int kind = (int)draw(4);
      expected[r] = 0;
      for (int i = 0; i < inputs; i++) {
        int c = kind == 0 ? (of[i] > 0 ? 127 : -128)
            : kind == 1   ? (of[i] < 0 ? 127 : -128)
            : kind == 2   ? -128
                          : 127;
        expected[r] += c * of[i];
        x[r * STRIDE + i] = (uint8_t)(c + k->zero);
      }
    }
    size_t ldx = k->arrange == NULL ? STRIDE : (size_t)k->planes * ivit_round_up((size_t)inputs, 64);
    x = arranged(arena, k, x, STRIDE, inputs, ldx);
    int32_t *acc = ivit_arena_take(arena, IVIT_TILE_ROWS * IVIT_COLUMNS * sizeof *acc);
    for (int panel = 0; panel < l->operand.main.panels; panel++) {
      if (k->enter != NULL) {
        k->enter();
      }
      struct ivit_operand operand = l->operand;
      decode(arena, &operand, panel);
      (tables ? operand.main.decoding->tile : k->tile)(
          x, ldx, NULL, 0, k->rows, &operand, panel, acc);
      if (k->leave != NULL) {
        k->leave();
      }
      for (int r = 0; r < k->rows; r++) {
        if (column[r] / IVIT_COLUMNS == panel
            && acc[r * IVIT_COLUMNS + column[r] % IVIT_COLUMNS] != expected[r]) {
          fail(k->name, "sum in 16 bits", inputs, outputs, r);
        }
      }
    }
    ivit_arena_free(arena);
  }
}

/* Products of weights of 4 bits and multipliers at their ends, by codes at theirs. */
static void sums_of_groups(const struct ivit_kernels *k) {
  enum { STRIDE = 320 };
  for (int round = 0; round < 300; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int inputs = 1 + (int)draw(256), groups = (inputs + IVIT_GROUP - 1) / IVIT_GROUP;
    int multiplier = draw(2) == 0 ? 15 : 1, index = draw(2) == 0 ? 0 : 15;
    uint8_t *indices = ivit_arena_take(arena, (size_t)inputs * IVIT_COLUMNS);
    uint8_t *multipliers = ivit_arena_take(arena, (size_t)groups * IVIT_COLUMNS);
    memset(indices, index << 4 | index, (size_t)inputs * IVIT_COLUMNS);
    memset(multipliers, multiplier, (size_t)groups * IVIT_COLUMNS);
    int32_t bias[IVIT_COLUMNS] = {0}, m[IVIT_COLUMNS];
    uint8_t e[IVIT_COLUMNS];
    random_multipliers(m, e, IVIT_COLUMNS);
    struct ivit_indices w = {indices, NULL, multipliers, 4, 0};
    struct ivit_layer layer = {inputs, IVIT_COLUMNS, bias, NULL, 0, 0, m, e, 0};
    struct ivit_linear *l = ivit_linear_of_indices(k, arena, &w, &layer);
    int x = draw(2) == 0 ? -128 : 127;
    uint8_t *rows = ivit_arena_take(arena, IVIT_TILE_ROWS * STRIDE);
    memset(rows, (uint8_t)(x + k->zero), IVIT_TILE_ROWS * STRIDE);
    int32_t *acc = ivit_arena_take(arena, IVIT_TILE_ROWS * IVIT_COLUMNS * sizeof *acc);
    struct ivit_operand operand = l->operand;
    decode(arena, &operand, 0);
    if (k->enter != NULL) {
      k->enter();
    }
    const struct ivit_decoding *decoding = l->operand.main.decoding;
    decoding->tile(rows, STRIDE, NULL, 0, decoding->rows, &operand, 0, acc);
    if (k->leave != NULL) {
      k->leave();
    }
    for (int i = 0; i < decoding->rows * IVIT_COLUMNS; i++) {
      if (acc[i] != inputs * x * (index - 8) * multiplier) {
        fail(k->name, "sum of groups", inputs, index, multiplier);
      }
    }
    ivit_arena_free(arena);
  }
}

#if defined(__x86_64__)
/* Runs of a block of two groups along K with these weights in every column. */
static void expect_runs(
    const char *what, const int8_t *w, int offset_runs, int centred_runs, int sign_runs) {
  struct ivit_arena *arena = ivit_arena_new();
  int8_t weights[IVIT_BLOCK_AVX2 * 8];
  for (int c = 0; c < IVIT_BLOCK_AVX2; c++) {
    memcpy(weights + 8 * c, w, 8);
  }
  struct ivit_matrix m;
  memset(&m, 0, sizeof m);
  ivit_matrix_columns(&m, IVIT_BLOCK_AVX2);
  if (!ivit_pack_avx2(arena, &m, weights, 8)) {
    fail("avx2", "memory", 0, 0, 0);
  }
  const int *runs = ((const struct ivit_block_avx2 *)m.plan)->runs;
  int expected[IVIT_KINDS_AVX2] = {offset_runs, centred_runs, sign_runs};
  if (memcmp(runs, expected, sizeof expected) != 0) {
    fail("avx2", what, runs[0], runs[1], runs[2]);
  }
  ivit_arena_free(arena);
}

/* Which weights the proof lets into which run: each bound, and one beyond. */
static void bounds_of_runs(void) {
  expect_runs("128 of each sign", (int8_t[8]){64, 0, -64, 0, 64, 0, -64, 0}, 1, 0, 0);
  expect_runs("128 of each sign, one alone", (int8_t[8]){127, -128, 0, 0, 1, 0, 0, 0}, 2, 0, 0);
  expect_runs("129 positive", (int8_t[8]){65, 0, 0, 0, 64, 0, 0, 0}, 0, 1, 0);
  expect_runs("129 negative", (int8_t[8]){-65, 0, 0, 0, -64, 0, 0, 0}, 0, 1, 0);
  expect_runs("129 in the second lane", (int8_t[8]){0, 0, 65, 0, 0, 0, 64, 0}, 0, 1, 0);
  expect_runs("257 of both signs", (int8_t[8]){127, -1, 0, 0, 127, -2, 0, 0}, 0, 1, 0);
  expect_runs("258 of both signs", (int8_t[8]){127, -1, 0, 0, 127, -3, 0, 0}, 2, 0, 0);
  expect_runs("129 in every order", (int8_t[8]){127, 2, 2, 2, 126, 0, 0, 0}, 0, 0, 1);
  expect_runs("256 with it", (int8_t[8]){127, 2, 2, 2, 127, 0, 0, 0}, 1, 0, 1);
  expect_runs("129 in every order twice", (int8_t[8]){127, 2, 2, 2, 127, 2, 2, 2}, 0, 0, 2);
  expect_runs("254 in one order", (int8_t[8]){127, 127, 0, 0, 0, 0, 0, 0}, 1, 0, 0);
  expect_runs("128 in another order", (int8_t[8]){64, 64, -64, -64, 64, -64, 64, -64}, 1, 0, 0);
  expect_runs("the least weight", (int8_t[8]){-128, 0, 0, 0, 0, 0, 0, 0}, 1, 0, 0);
  expect_runs("the least weight twice", (int8_t[8]){-128, -128, 0, 0, 0, 0, 0, 0}, 1, 0, 0);
  expect_runs("nothing", (int8_t[8]){0, 0, 0, 0, 0, 0, 0, 0}, 0, 0, 0);
}
#endif

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
    uint64_t epsilon = draw(2) == 0 ? 0 : (uint64_t)1 << draw(61);
    struct ivit_norm *norm = ivit_norm_new(arena, m, b, channels, 1 + (int)draw(62), epsilon);
    k->norm(x, norm, found);
    ivit_norm_c(x, norm, expected);
    restore(found, k->zero, found, 128, (size_t)channels);
    compare(k->name, "norm", found, expected, 512, channels, norm->shift, kind);
    int16_t *wide = ivit_arena_take(arena, 1024);
    int16_t *wide_expected = ivit_arena_take(arena, 1024);
    k->norm16(x, norm, wide);
    ivit_norm16_c(x, norm, wide_expected);
    compare(k->name, "norm16", wide, wide_expected, 1024, channels, norm->shift, kind);
    ivit_arena_free(arena);
  }
}

/* The root that a row is divided by, about squares and with all that an epsilon may add. */
static void roots(void) {
  for (int round = 0; round < 100000; round++) {
    uint64_t root = 1 + ((uint64_t)draw(1u << 31) >> draw(31)) % ((uint64_t)3 << 29);
    uint64_t squares = root * root - (draw(2) == 0 ? 0 : 1);
    uint64_t expected = squares == root * root ? root : root - 1;
    if (ivit_norm_factor(squares) != INT32_MAX / (int64_t)(expected == 0 ? 1 : expected)) {
      fail("norm", "root", (int)root, (int)expected, 0);
    }
  }
}

/* A row of probabilities, whatever their form, as the contexts of values that are 1 once. */
static int32_t *contexts(
    struct ivit_arena *arena, const struct ivit_kernels *k, const uint8_t *p, size_t plane, int n,
    int bits) {
  enum { DIM = 40 };
  struct ivit_operand values;
  memset(&values, 0, sizeof values);
  ivit_matrix_columns(&values.main, DIM);
  ivit_matrix_take(arena, &values.main, ivit_matrix_room(DIM, n));
  values.bias = ivit_arena_take(arena, 2 * IVIT_COLUMNS * sizeof *values.bias);
  values.shift = 8;
  size_t stride = DIM + 3;
  uint8_t *v = ivit_arena_take(arena, stride * (size_t)n);
  int32_t *out = ivit_arena_take(arena, (size_t)(n + DIM + 64) * sizeof *out);
  int32_t *acc = ivit_arena_take(arena, IVIT_TILE_ROWS * IVIT_COLUMNS * sizeof *acc);
  struct ivit_head head = {NULL, NULL, v, stride, n, DIM};
  for (int from = 0; from < n; from += DIM) {
    memset(v, k->zero, stride * (size_t)n);
    for (int d = 0; d < DIM && from + d < n; d++) {
      v[(size_t)(from + d) * stride + (size_t)d]++;
    }
    k->pack_values(&head, bits, &values);
    for (int panel = 0; panel < 2; panel++) {
      if (k->enter != NULL) {
        k->enter();
      }
      k->context(p, 2 * plane, p + plane, 2 * plane, 1, &values, panel, acc);
      if (k->leave != NULL) {
        k->leave();
      }
      size_t count = panel == 0 ? IVIT_COLUMNS : DIM - IVIT_COLUMNS;
      memcpy(out + from + panel * IVIT_COLUMNS, acc, count * sizeof *acc);
    }
  }
  return out;
}

/* Scores of queries by keys and contexts of values, over every code. */
static void heads(const struct ivit_kernels *k) {
  const struct ivit_kernels *both[] = {k, &ivit_kernels_c};
  for (int round = 0; round < 200; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int tokens = 1 + (int)draw(230), dim = 1 + (int)draw(80);
    int rows = 1 + (int)draw((uint32_t)(k->rows < 8 ? k->rows : 8));
    int panels = (tokens + 31) / 32;
    size_t stride = ivit_stride((size_t)(3 * dim));
    size_t size = stride * (size_t)(tokens + IVIT_TILE_ROWS);
    uint8_t *qkv[2];
    int32_t *acc[2];
    for (int i = 0; i < 2; i++) {
      qkv[i] = ivit_arena_take(arena, size);
      acc[i] = ivit_arena_take(arena, (size_t)panels * 32 * IVIT_TILE_ROWS * sizeof(int32_t));
    }
    int least = draw(3) == 0 ? 0 : 1;
    for (size_t j = 0; j < size; j++) {
      qkv[1][j] = (uint8_t)code(least, 255);
    }
    restore(qkv[1], 128, qkv[0], k->zero, size);
    for (int i = 0; i < 2; i++) {
      struct ivit_operand keys;
      memset(&keys, 0, sizeof keys);
      ivit_matrix_columns(&keys.main, tokens);
      ivit_matrix_take(arena, &keys.main, ivit_matrix_room(tokens, dim));
      memset(keys.main.data, 55, keys.main.room);
      keys.bias = ivit_arena_take(arena, (size_t)panels * 32 * sizeof(int32_t));
      struct ivit_head h = {qkv[i], qkv[i] + dim, qkv[i] + 2 * dim, stride, tokens, dim};
      if (both[i]->enter != NULL) {
        both[i]->enter();
      }
      both[i]->pack_keys(&h, &keys);
      for (int panel = 0; panel < panels; panel++) {
        both[i]->scores(
            h.queries, stride, NULL, 0, rows, &keys, panel,
            acc[i] + panel * 32 * IVIT_TILE_ROWS);
      }
      if (both[i]->leave != NULL) {
        both[i]->leave();
      }
    }
    for (int panel = 0; panel < panels; panel++) {
      int n = tokens - 32 * panel < 32 ? tokens - 32 * panel : 32;
      for (int r = 0; r < rows; r++) {
        int at = panel * 32 * IVIT_TILE_ROWS + r * 32;
        compare(
            k->name, "scores", acc[0] + at, acc[1] + at, (size_t)n * sizeof(int32_t), tokens, dim,
            rows);
      }
    }
    ivit_arena_free(arena);
  }
}

/* The row of the graph's table, as org.ivit.core.architecture.Windows has it. */
static int relative_position(struct ivit_grid g, int query, int key) {
  int pairs = (2 * g.rows - 1) * (2 * g.columns - 1);
  query -= g.leading;
  key -= g.leading;
  if (query < 0 || key < 0) {
    return pairs + (query < 0 && key < 0 ? 2 : query < 0 ? 0 : 1);
  }
  int rows = query / g.columns - key / g.columns + g.rows - 1;
  return rows * (2 * g.columns - 1) + query % g.columns - key % g.columns + g.columns - 1;
}

static void rows_of_scores(const struct ivit_kernels *k) {
  for (int round = 0; round < 400; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    struct ivit_grid grid = {1 + (int)draw(16), 1 + (int)draw(16), (int)draw(2)};
    int n = grid.rows * grid.columns + grid.leading;
    size_t row = ivit_round_up((size_t)n, 64);
    int heads = 1 + (int)draw(2);
    int32_t score[256];
    int positions = (2 * grid.rows - 1) * (2 * grid.columns - 1) + 3 * grid.leading;
    int32_t *biases = ivit_arena_take(arena, (size_t)(heads * positions) * sizeof *biases);
    uint64_t *mask = ivit_arena_take(arena, (size_t)n * row / 64 * sizeof *mask);
    int range = draw(3) == 0 ? 1 << 29 : 200;
    for (int i = 0; i < 256; i++) {
      score[i] = code(-range, range - 1);
    }
    for (int i = 0; i < heads * positions; i++) {
      biases[i] = code(-range, range - 1);
    }
    int query = draw(4) == 0 ? 0 : (int)draw((uint32_t)n), head = (int)draw((uint32_t)heads);
    uint8_t *found = ivit_arena_take(arena, row);
    uint8_t *expected = ivit_arena_take(arena, row);
    for (int i = 0; i < n; i++) {
      int stored = code(0, 255);
      int32_t sum =
          score[stored] + biases[relative_position(grid, query, i) * heads + head];
      expected[i] = (uint8_t)((sum < -128 ? -128 : sum > 127 ? 127 : sum) + 128);
      found[i] = (uint8_t)(stored - 128 + k->zero);
    }
    k->bias(
        found, ivit_window_new(k->zero, arena, score, biases, heads, grid, mask, 1), head, query);
    restore(found, k->zero, found, 128, (size_t)n);
    compare(k->name, "bias", found, expected, (size_t)n, n, head, query);
    restore(expected, 128, found, k->zero, (size_t)n);

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
    uint8_t *p[2];
    int32_t factor[2];
    for (int i = 0; i < 2; i++) {
      p[i] = ivit_arena_take(arena, 2 * row + IVIT_TILE_ROWS * 2 * row);
      memset(p[i], 77, 2 * row);
    }
    factor[0] = k->softmax(found, n, hidden, &softmax, p[0], row);
    factor[1] = ivit_softmax_c(expected, n, hidden, &softmax, p[1], row);
    compare(k->name, "factor", &factor[0], &factor[1], sizeof(int32_t), n, bits, deferred);
    int32_t *seen[2];
    seen[0] = contexts(arena, k, p[0], row, n, bits);
    seen[1] = contexts(arena, &ivit_kernels_c, p[1], row, n, bits);
    compare(
        k->name, "probabilities", seen[0], seen[1], (size_t)n * sizeof(int32_t), n, bits,
        softmax.narrow);
    ivit_arena_free(arena);
  }
}

/* Some rows of probabilities, large by a few keys that lie together, by any values. */
static void contexts_of_rows(const struct ivit_kernels *k) {
  const struct ivit_kernels *both[] = {k, &ivit_kernels_c};
  for (int round = 0; round < 200; round++) {
    struct ivit_arena *arena = ivit_arena_new();
    int n = 1 + (int)draw(400), dim = 1 + (int)draw(40);
    int rows = 1 + (int)draw((uint32_t)(k->rows < 8 ? k->rows : 8));
    size_t plane = ivit_round_up((size_t)n, 64), stride = ivit_stride((size_t)dim);
    struct ivit_softmax softmax;
    int32_t exponentials[257];
    for (int d = 0; d < 257; d++) {
      exponentials[d] = d < 8 ? (1 << 15) >> d : 1;
    }
    int bits = draw(4) == 0 ? 8 : 16;
    ivit_softmax_set(&softmax, exponentials, 1 << (31 - bits), bits, 0);
    uint8_t *scores = ivit_arena_take(arena, 8 * plane);
    for (int r = 0; r < rows; r++) {
      int first = (int)draw((uint32_t)n), last = first + (int)draw(40);
      for (int key = 0; key < n; key++) {
        int large = key >= first && key <= last;
        scores[(size_t)r * plane + (size_t)key] = (uint8_t)(large ? 200 + code(0, 3) : code(0, 99));
      }
    }
    uint8_t *v = ivit_arena_take(arena, stride * (size_t)n);
    for (size_t i = 0; i < stride * (size_t)n; i++) {
      v[i] = (uint8_t)code(0, 255);
    }
    int32_t *acc[2];
    for (int i = 0; i < 2; i++) {
      uint8_t *s = ivit_arena_take(arena, 8 * plane), *x = ivit_arena_take(arena, stride * (size_t)n);
      restore(scores, 128, s, both[i]->zero, (size_t)rows * plane);
      restore(v, 128, x, both[i]->zero, stride * (size_t)n);
      struct ivit_operand values;
      memset(&values, 0, sizeof values);
      ivit_matrix_columns(&values.main, dim);
      ivit_matrix_take(arena, &values.main, ivit_matrix_room(dim, n));
      values.bias = ivit_arena_take(arena, 2 * IVIT_COLUMNS * sizeof *values.bias);
      values.shift = 8;
      struct ivit_head head = {NULL, NULL, x, stride, n, dim};
      both[i]->pack_values(&head, bits, &values);
      uint8_t *p = ivit_arena_take(arena, 2 * IVIT_TILE_ROWS * plane);
      for (int r = 0; r < rows; r++) {
        uint8_t *to = p + 2 * (size_t)r * plane;
        both[i]->softmax(s + (size_t)r * plane, n, NULL, &softmax, to, plane);
      }
      acc[i] = ivit_arena_take(arena, 2 * IVIT_TILE_ROWS * IVIT_COLUMNS * sizeof **acc);
      if (both[i]->enter != NULL) {
        both[i]->enter();
      }
      for (int panel = 0; panel < values.main.panels; panel++) {
        both[i]->context(
            p, 2 * plane, p + plane, 2 * plane, rows, &values, panel,
            acc[i] + panel * IVIT_TILE_ROWS * IVIT_COLUMNS);
      }
      if (both[i]->leave != NULL) {
        both[i]->leave();
      }
    }
    for (int i = 0; i < rows * dim; i++) {
      int c = i % dim, at = (c / 32 * IVIT_TILE_ROWS + i / dim) * IVIT_COLUMNS + c % 32;
      if (acc[0][at] != acc[1][at]) {
        fail(k->name, "context", n, dim, rows);
      }
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

/* What follows the blocks. */
enum end {
  CLASSES_OF_TOKEN,
  CLASSES_OF_MEAN_OF_CODES,
  CLASSES_OF_TOKEN_AND_MEAN,
  SUM_OF_CODES,
  NORMED_TOKEN,
  CLASSES_OF_MEAN,
  POOLED_BY_ATTENTION,
  ENDS
};

/* Sizes of a model of two blocks, of which the last finishes what the end reads. */
struct sizes {
  int grid_rows, grid_columns, leading, patch, heads, head_dim, hidden, classes, bits, outliers;
  int by_row, biased, normed_before, epsilon, rotary, gated, gated_norm;
  enum end end;
};

static int tokens_of(struct sizes z) {
  return z.grid_rows * z.grid_columns + z.leading;
}

static struct ivit_norm *norm_of(struct ivit_arena *a, struct sizes z, int dim) {
  int32_t *m = ivit_arena_take(a, (size_t)dim * sizeof *m);
  int64_t *b = ivit_arena_take(a, (size_t)dim * sizeof *b);
  for (int c = 0; c < dim; c++) {
    m[c] = 1 + (int32_t)draw(1 << 30);
    b[c] = (int64_t)draw(1000) << 40;
  }
  return ivit_norm_new(a, m, b, dim, 52, z.epsilon ? (uint64_t)1 << draw(50) : 0);
}

static struct ivit_norm *random_norm(struct ivit_arena *a, struct sizes z) {
  return norm_of(a, z, z.heads * z.head_dim);
}

static struct ivit_rotation *random_rotation(struct ivit_arena *a, struct sizes z) {
  size_t length = (size_t)(tokens_of(z) * z.head_dim);
  int16_t *cos = ivit_arena_take(a, length * sizeof *cos);
  int16_t *sin = ivit_arena_take(a, length * sizeof *sin);
  for (size_t i = 0; i < length; i++) {
    int16_t turn[2];
    random_turn(turn);
    cos[i] = turn[0];
    sin[i] = turn[1];
  }
  struct ivit_turns *turns = ivit_turns_new(a, cos, sin, tokens_of(z), z.heads, z.head_dim);
  return ivit_rotation_new(a, turns, 1 << 30, (uint8_t)(46 + draw(8)));
}

static void random_gating(
    const struct ivit_kernels *k, struct ivit_arena *a, struct sizes z, struct ivit_block *b) {
  int16_t table[256];
  for (int i = 0; i < 256; i++) {
    table[i] = (int16_t)code(-32768, 32767);
  }
  int32_t *m = ivit_arena_take(a, (size_t)z.hidden * sizeof *m);
  uint8_t *e = ivit_arena_take(a, (size_t)z.hidden);
  for (int c = 0; c < z.hidden; c++) {
    m[c] = (1 << 30) + (int32_t)draw(1 << 30);
    e[c] = (uint8_t)((z.gated_norm ? 36 : 44) + draw(2));
  }
  b->value = random_linear(k, a, b->dim, z.hidden, z.outliers, 0);
  b->gating = ivit_gating_new(k->zero, a, table, m, e, z.hidden);
  b->mlp_norm = z.gated_norm ? norm_of(a, z, z.hidden) : NULL;
}

static struct ivit_window *random_window(
    const struct ivit_kernels *k, struct ivit_arena *a, struct sizes z) {
  struct ivit_grid grid = {z.grid_rows, z.grid_columns, z.leading};
  int positions = z.heads * ((2 * z.grid_rows - 1) * (2 * z.grid_columns - 1) + 3);
  int32_t *table = ivit_arena_take(a, (size_t)positions * sizeof *table);
  uint64_t *mask = ivit_arena_take(a, (size_t)tokens_of(z) * 8 * sizeof *mask);
  int32_t score[256];
  for (int i = 0; i < 256; i++) {
    score[i] = i - 128;
  }
  for (int i = 0; i < positions; i++) {
    table[i] = code(-100, 100);
  }
  return ivit_window_new(k->zero, a, score, table, z.heads, grid, mask, 1);
}

static struct ivit_block *random_block(
    const struct ivit_kernels *k, struct ivit_arena *a, struct sizes z, int number, int pooling) {
  int dim = z.heads * z.head_dim, tokens = tokens_of(z);
  struct ivit_block *b = ivit_arena_take(a, sizeof *b);
  b->dim = dim;
  b->hidden = z.hidden;
  b->tokens = tokens;
  b->norm1 = random_norm(a, z);
  b->norm2 = random_norm(a, z);
  b->qkv = random_linear(k, a, dim, pooling ? dim + z.heads : 3 * dim, z.outliers, 0);
  b->proj = random_linear(k, a, dim, dim, z.outliers, 0);
  b->fc1 = random_linear(k, a, dim, z.hidden, z.gated ? z.outliers : 0, 0);
  b->fc2 = random_linear(k, a, z.hidden, dim, 0, 0);
  static int8_t table[256 * 256];
  for (int i = 0; i < (z.by_row ? 256 * 256 : 256); i++) {
    table[i] = (int8_t)draw(256);
  }
  if (z.gated && !pooling) {
    random_gating(k, a, z, b);
  } else {
    b->gelu = ivit_gelu_new(k->zero, a, z.by_row, table, table, NULL, 0, z.hidden);
  }
  if (z.rotary && !pooling) {
    b->rotation = random_rotation(a, z);
  }
  b->attention = ivit_arena_take(a, sizeof *b->attention);
  b->attention->pooling = pooling;
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
  if (z.biased && !pooling) {
    b->attention->window = random_window(k, a, z);
  }
  if (pooling) {
    b->zeros = ivit_arena_take(a, (size_t)dim * sizeof *b->zeros);
  }
  ivit_dyadic_set(&b->residual1.branch, 1 << 30, 31);
  b->residual1.identity = b->residual2.branch = b->residual2.identity = b->residual1.branch;
  b->qkv_in = number % 2;
  return b;
}

static struct ivit_step *block_step(
    struct ivit_model *m, struct ivit_block *block, int rows, struct ivit_block *next) {
  struct ivit_step *step = ivit_model_add_step(m, IVIT_BLOCK, rows, block->dim);
  step->block = block;
  step->next = next;
  return step;
}

static void add_token_head(struct ivit_model *m, struct sizes z, int dim) {
  struct ivit_step *head = ivit_model_add_step(m, IVIT_HEAD, 1, dim);
  head->norm = random_norm(m->arena, z);
  head->linear = random_linear(m->kernels, m->arena, dim, z.classes, 0, 1);
}

/* The mean of normed codes; without classes their sum. */
static void add_codes_head(struct ivit_model *m, struct sizes z, int dim, int patches) {
  struct ivit_step *codes = ivit_model_add_step(m, IVIT_NORM_CODES, patches, dim);
  codes->norm = random_norm(m->arena, z);
  codes->leading = z.leading;
  struct ivit_step *head = ivit_model_add_step(m, IVIT_POOL_HEAD, 1, dim);
  head->tokens = patches;
  head->pool_multiplier = INT32_MAX / patches;
  head->pool_shift = 30;
  if (z.end != SUM_OF_CODES) {
    head->linear = random_linear(m->kernels, m->arena, dim, z.classes, 0, 1);
    head->add = z.end == CLASSES_OF_TOKEN_AND_MEAN;
  }
}

/* The steps after the first block, the last block's among them. */
static void add_end(struct ivit_model *m, struct ivit_block *last, struct sizes z) {
  const struct ivit_kernels *k = m->kernels;
  struct ivit_arena *a = m->arena;
  int dim = last->dim, tokens = last->tokens, patches = tokens - z.leading;
  int one = z.end == CLASSES_OF_TOKEN || z.end == NORMED_TOKEN;
  struct ivit_block *pooling =
      z.end == POOLED_BY_ATTENTION ? random_block(k, a, z, 0, 1) : NULL;
  block_step(m, last, one ? 1 : tokens, pooling);
  if (pooling != NULL) {
    block_step(m, pooling, 1, NULL);
  }
  if (z.end == NORMED_TOKEN) {
    ivit_model_add_step(m, IVIT_NORM, 1, dim)->norm = random_norm(a, z);
  }
  if (z.end == CLASSES_OF_MEAN) {
    struct ivit_step *mean = ivit_model_add_step(m, IVIT_MEAN, 1, dim);
    mean->tokens = tokens;
    mean->leading = z.leading;
    mean->pool_multiplier = INT32_MAX / patches;
    mean->pool_shift = 30;
  }
  if (z.end == CLASSES_OF_MEAN_OF_CODES || z.end == SUM_OF_CODES) {
    add_codes_head(m, z, dim, patches);
  } else if (z.end == CLASSES_OF_TOKEN_AND_MEAN) {
    add_token_head(m, z, dim);
    add_codes_head(m, z, dim, patches);
  } else if (z.end == CLASSES_OF_TOKEN || z.end == CLASSES_OF_MEAN) {
    add_token_head(m, z, dim);
  } else {
    ivit_model_add_step(m, IVIT_FIRST_TOKEN, 1, dim);
  }
}

/* Bytes of the largest decoded panel. */
static size_t most_decoded(const struct ivit_model *m) {
  size_t most = 0;
  for (int i = 0; i < m->steps; i++) {
    const struct ivit_step *step = &m->step[i];
    const struct ivit_block *b = step->block;
    const struct ivit_linear *layers[] = {
        step->linear, b == NULL ? NULL : b->qkv, b == NULL ? NULL : b->proj,
        b == NULL ? NULL : b->fc1, b == NULL ? NULL : b->value, b == NULL ? NULL : b->fc2};
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++) {
      size_t size = layers[l] == NULL ? 0 : ivit_decoded_size(layers[l]);
      most = size > most ? size : most;
    }
  }
  return most;
}

static struct ivit_model *random_model(const struct ivit_kernels *k, struct sizes z) {
  int dim = z.heads * z.head_dim, tokens = tokens_of(z);
  struct ivit_model *m =
      ivit_model_new(k, z.grid_rows * z.patch, z.grid_columns * z.patch, z.patch);
  struct ivit_arena *a = m->arena;
  struct ivit_block *first = random_block(k, a, z, 0, 0), *last = random_block(k, a, z, 1, 0);

  struct ivit_step *embed = ivit_model_add_step(m, IVIT_EMBED, tokens, dim);
  embed->linear = random_linear(k, a, 3 * z.patch * z.patch, dim, 0, 0);
  embed->leading = z.leading;
  embed->leading_codes = ivit_arena_take(a, (size_t)dim * sizeof(int16_t));
  embed->positions = ivit_arena_take(a, (size_t)(tokens * dim) * sizeof(int16_t));
  embed->adder = first->residual1;
  int patch_inputs = embed->linear->inputs;
  if (z.normed_before) {
    struct ivit_step *norm = ivit_model_add_step(m, IVIT_NORM, tokens, dim);
    norm->norm = random_norm(a, z);
    norm->next = first;
  } else {
    embed->next = first;
  }
  block_step(m, first, tokens, last);
  add_end(m, last, z);
  m->classes = z.classes;
  m->most_tokens = (size_t)tokens * (size_t)dim;
  m->most_qkv = (size_t)tokens * ivit_stride(3 * (size_t)dim);
  m->most_context = (size_t)tokens * ivit_stride((size_t)dim);
  m->most_expanded = (size_t)tokens * ivit_expanded_stride(first);
  m->most_inputs = z.hidden;
  m->most_inputs = m->most_inputs < dim ? dim : m->most_inputs;
  m->most_inputs = m->most_inputs < patch_inputs ? patch_inputs : m->most_inputs;
  m->most_outliers = z.outliers;
  m->most_decoded = most_decoded(m);
  m->most_dim = dim;
  m->most_hidden = z.hidden < 3 * dim ? 3 * dim : z.hidden;
  m->most_gated = z.gated ? z.hidden : 0;
  m->most_group = tokens;
  m->most_head_dim = z.head_dim;
  return m;
}

/* Rows and, of each, heads or panels in three or fewer parts each, the last ones first. */
static void run_split(
    const struct ivit_model *m, int step, enum ivit_phase phase, int rows, int units,
    struct ivit_picture *p, struct ivit_scratch *s) {
  for (int r = 2; r >= 0; r--) {
    for (int u = 2; u >= 0; u--) {
      struct ivit_part part = {
          phase, rows * r / 3, rows * (r + 1) / 3, units * u / 3, units * (u + 1) / 3};
      if (part.from < part.to && part.first < part.end) {
        ivit_model_run(m, step, &part, p, s);
      }
    }
  }
}

/* Panels of what a step of one row answers. */
static int panels_of(const struct ivit_step *step) {
  int channels = step->linear != NULL ? step->linear->outputs : step->dim;
  return step->kind == IVIT_FIRST_TOKEN ? 1 : (channels + IVIT_COLUMNS - 1) / IVIT_COLUMNS;
}

static int is_by_rows(const struct ivit_step *step) {
  return step->kind == IVIT_EMBED || step->kind == IVIT_NORM || step->kind == IVIT_NORM_CODES;
}

/* A step at once, where `split` is 0, or in phases: two or all of a block. */
static void run_step(
    const struct ivit_model *m, int number, int split, struct ivit_picture *p,
    struct ivit_scratch *s) {
  const struct ivit_step *step = &m->step[number];
  const struct ivit_block *b = step->block;
  int rows = step->rows;
  if (split == 0) {
    struct ivit_part all = {IVIT_WHOLE, 0, rows, 0, panels_of(step)};
    ivit_model_run(m, number, &all, p, s);
  } else if (b == NULL) {
    run_split(m, number, IVIT_WHOLE, rows, is_by_rows(step) ? 1 : panels_of(step), p, s);
  } else {
    run_split(m, number, IVIT_ATTEND, rows, b->attention->heads, p, s);
    if (split == 1) {
      run_split(m, number, IVIT_FINISH, rows, 1, p, s);
      return;
    }
    run_split(m, number, IVIT_PROJECT, rows, b->proj->operand.main.panels, p, s);
    run_split(m, number, IVIT_EXPAND, rows, b->fc1->operand.main.panels, p, s);
    run_split(m, number, IVIT_CONTRACT, rows, b->fc2->operand.main.panels, p, s);
    if (step->next != NULL) {
      run_split(m, number, IVIT_BEGIN, rows, step->next->qkv->operand.main.panels, p, s);
    }
  }
}

static void run_model(const struct ivit_kernels *k, struct sizes z, int split, int32_t *logits) {
  struct ivit_model *m = random_model(k, z);
  struct ivit_picture *p = ivit_picture_new(m);
  struct ivit_scratch *s = ivit_scratch_new(m);
  for (int i = 0; i < 3 * m->height * m->width; i++) {
    p->codes[i] = (int8_t)code(-128, 127);
  }
  for (int step = 0; step < m->steps; step++) {
    run_step(m, step, split, p, s);
  }
  memcpy(logits, p->logits, (size_t)z.classes * sizeof *logits);
  ivit_scratch_free(s);
  ivit_picture_free(p);
  ivit_model_free(m);
}

static void models(const struct ivit_kernels *k) {
  for (int round = 0; round < 120; round++) {
    struct sizes z = {
        1 + (int)draw(13), 1 + (int)draw(13), (int)draw(2), 1 + (int)draw(6), 1 + (int)draw(3),
        1 + (int)draw(70), 1 + (int)draw(200), 1 + (int)draw(50), draw(2) == 0 ? 8 : 16, 0,
        draw(3) == 0, draw(3) == 0, draw(3) == 0, draw(2) == 0, draw(2) == 0, draw(2) == 0,
        draw(2) == 0, round % ENDS};
    if (z.rotary) {
      z.head_dim = (z.head_dim + 3) / 4 * 4;
      z.biased = 0;
    }
    int dim = z.heads * z.head_dim;
    z.outliers = draw(2) == 0 ? 0 : 1 + (int)draw((uint32_t)dim);
    if (z.end == SUM_OF_CODES || z.end == NORMED_TOKEN || z.end == POOLED_BY_ATTENTION) {
      z.classes = dim;
    }
    uint64_t seed = state;
    int32_t found[256], expected[256];
    codes_only = 1;
    run_model(&ivit_kernels_c, z, 0, expected);
    codes_only = 0;
    for (int split = 0; split < 3; split++) {
      state = seed;
      run_model(k, z, split, found);
      compare(
          k->name, "model", found, expected, (size_t)z.classes * sizeof *found, z.end, split,
          round);
    }
  }
}

/* Whether an emulation of its instruction was compiled in. */
static int is_emulated(const char *name) {
#if defined(IVIT_EMULATED)
  const char *list = IVIT_EMULATED;
  for (size_t length; *list != '\0'; list += length + (list[length] == ',')) {
    length = strcspn(list, ",");
    if (strlen(name) == length && memcmp(list, name, length) == 0) {
      return 1;
    }
  }
#endif
  (void)name;
  return 0;
}

int main(int arguments, char **argument) {
  const char *only = arguments > 1 ? argument[1] : NULL;
#if defined(__x86_64__)
  bounds_of_runs();
#endif
  roots();
  tables_of_turns();
  for (int i = 0; ivit_kernels_names[i] != NULL; i++) {
    const char *name = ivit_kernels_names[i];
    const char *reason = NULL;
    const struct ivit_kernels *k = ivit_kernels_find(name, &reason);
    if (k == NULL && is_emulated(name)) {
      k = ivit_kernels_named(name);
      printf("%s: emulated\n", name);
    }
    if (k == NULL) {
      printf("%s: skipped, %s\n", name, reason);
      continue;
    }
    if (only != NULL && strcmp(name, only) != 0) {
      printf("%s: the fastest that runs here, expected %s\n", name, only);
      return 1;
    }
    products(k);
    sixteen_bits(k);
    sums_of_groups(k);
    turned_rows(k);
    gated_rows(k);
    norms(k);
    rows_of_scores(k);
    contexts_of_rows(k);
    normalised_rows(k);
    heads(k);
    models(k);
    printf("%s: equal\n", name);
    if (only != NULL) {
      break;
    }
  }
  return 0;
}
