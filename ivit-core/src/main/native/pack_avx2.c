/*
 * Orders the weights of a product for AVX2, so that every sum of 16 bits holds
 * (docs/arithmetic.md#sixteen-bits-that-hold). Plain C: it runs once for a layer.
 */
#include "pack.h"
#include "plan_avx2.h"

#include <stdlib.h>
#include <string.h>

enum {
  WORDS = 16, /* sums of two products in a vector */
  /* 255 times the positive weights, and times the negative ones, stay within 16 bits. */
  OFFSET_BOUND = INT16_MAX / 255,
  /* 128 times their magnitudes. */
  SIGN_BOUND = INT16_MAX / 128,
  TRIES = 48 /* partners that are looked at */
};

/* Four neighbours along K of eight columns. */
struct vector {
  int8_t weights[IVIT_VECTOR_AVX2];
  int place;
  /* Sums of the positive weights and of the negated negative ones in each word. */
  int16_t positive[WORDS];
  int16_t negative[WORDS];
  int heaviest; /* of all words of both */
  int magnitude; /* of all words of their sum */
};

static void weigh(struct vector *v) {
  v->heaviest = 0;
  v->magnitude = 0;
  for (int i = 0; i < WORDS; i++) {
    int a = v->weights[2 * i], b = v->weights[2 * i + 1];
    int positive = (a > 0 ? a : 0) + (b > 0 ? b : 0);
    int negative = positive - a - b;
    v->positive[i] = (int16_t)positive;
    v->negative[i] = (int16_t)negative;
    int larger = positive > negative ? positive : negative;
    v->heaviest = larger > v->heaviest ? larger : v->heaviest;
    v->magnitude = positive + negative > v->magnitude ? positive + negative : v->magnitude;
  }
}

/* A sign cannot be taken by -128, so one of it goes to a vector of its own. */
static int split_least(struct vector *v, struct vector *rest) {
  int any = 0;
  memset(rest, 0, sizeof *rest);
  for (int i = 0; i < IVIT_VECTOR_AVX2; i++) {
    if (v->weights[i] == INT8_MIN) {
      v->weights[i] = -INT8_MAX;
      rest->weights[i] = -1;
      any = 1;
    }
  }
  rest->place = v->place;
  return any;
}

/* Vectors of the block that begins with `column`; at most two a group. */
static int vectors_of(
    const struct ivit_matrix *m, const int8_t *weight, int depth, int column, struct vector *v) {
  int count = 0;
  for (int k = 0; k < depth; k += 4) {
    struct vector *main = &v[count];
    memset(main, 0, sizeof *main);
    main->place = k;
    int n = depth - k < 4 ? depth - k : 4;
    int any = 0;
    for (int c = 0; c < IVIT_BLOCK_AVX2 && column + c < m->columns; c++) {
      const int8_t *from = weight + (size_t)(column + c) * (size_t)depth + k;
      for (int i = 0; i < n; i++) {
        main->weights[4 * c + i] = from[i];
        any |= from[i];
      }
    }
    if (any == 0) {
      continue;
    }
    int split = split_least(main, &v[count + 1]);
    for (int i = 0; i <= split; i++) {
      weigh(&v[count++]);
    }
  }
  return count;
}

static int holds_with_offset(const struct vector *a, const struct vector *b) {
  int most = 0;
  for (int i = 0; i < WORDS; i++) {
    int positive = a->positive[i] + b->positive[i];
    int negative = a->negative[i] + b->negative[i];
    most = positive > most ? positive : most;
    most = negative > most ? negative : most;
  }
  return most <= OFFSET_BOUND;
}

static int holds_with_sign(const struct vector *a, const struct vector *b) {
  int most = 0;
  for (int i = 0; i < WORDS; i++) {
    int magnitude = a->positive[i] + a->negative[i] + b->positive[i] + b->negative[i];
    most = magnitude > most ? magnitude : most;
  }
  return most <= SIGN_BOUND;
}

static int by_heaviest(const void *a, const void *b) {
  const struct vector *const *v = a, *const *w = b;
  int order = (*w)->heaviest - (*v)->heaviest;
  return order != 0 ? order : (*v)->place - (*w)->place;
}

static int by_magnitude(const void *a, const void *b) {
  const struct vector *const *v = a, *const *w = b;
  int order = (*w)->magnitude - (*v)->magnitude;
  return order != 0 ? order : (*v)->place - (*w)->place;
}

struct run {
  const struct vector *first;
  const struct vector *second; /* may be null */
};

typedef int test(const struct vector *a, const struct vector *b);

/*
 * Pairs vectors, heaviest first, each with the heaviest of the lightest that it holds with. Those
 * without a partner come back in `left`, or, where that is null, are runs alone.
 */
static int pair(
    struct vector **v, int n, test *holds, struct run *runs, struct vector **left, int *lefts) {
  int count = 0;
  for (int i = 0; i < n; i++) {
    if (v[i] == NULL) {
      continue;
    }
    int found = 0;
    int tries = 0;
    for (int j = n - 1; j > i && tries < TRIES; j--) {
      if (v[j] == NULL) {
        continue;
      }
      if (holds(v[i], v[j])) {
        found = j;
      } else if (found != 0) {
        break;
      }
      tries++;
    }
    if (found != 0) {
      runs[count].first = v[i];
      runs[count++].second = v[found];
      v[found] = NULL;
    } else if (left != NULL) {
      left[(*lefts)++] = v[i];
    } else {
      runs[count].first = v[i];
      runs[count++].second = NULL;
    }
  }
  return count;
}

struct workspace {
  struct vector *vectors;
  struct vector **offset; /* that may hold with offset codes */
  struct vector **sign;   /* the others */
  struct run *runs;
};

/* Runs of one block; returns how many, the first *offset_runs of offset codes. */
static int plan(
    const struct ivit_matrix *m, const int8_t *weight, int depth, int column,
    struct workspace *space, int *offset_runs) {
  int n = vectors_of(m, weight, depth, column, space->vectors);
  int offsets = 0, signs = 0;
  for (int i = 0; i < n; i++) {
    struct vector *v = &space->vectors[i];
    if (v->heaviest <= OFFSET_BOUND) {
      space->offset[offsets++] = v;
    } else {
      space->sign[signs++] = v;
    }
  }
  qsort(space->offset, (size_t)offsets, sizeof *space->offset, by_heaviest);
  *offset_runs = pair(
      space->offset, offsets, holds_with_offset, space->runs, space->sign, &signs);
  qsort(space->sign, (size_t)signs, sizeof *space->sign, by_magnitude);
  return *offset_runs
      + pair(space->sign, signs, holds_with_sign, space->runs + *offset_runs, NULL, NULL);
}

static void write_runs(const struct run *runs, int count, int8_t *weights, int32_t *places) {
  for (int i = 0; i < count; i++, weights += IVIT_RUN_AVX2) {
    const struct vector *first = runs[i].first, *second = runs[i].second;
    memcpy(weights, first->weights, IVIT_VECTOR_AVX2);
    places[2 * i] = first->place;
    if (second == NULL) {
      memset(weights + IVIT_VECTOR_AVX2, 0, IVIT_VECTOR_AVX2);
      places[2 * i + 1] = first->place;
    } else {
      memcpy(weights + IVIT_VECTOR_AVX2, second->weights, IVIT_VECTOR_AVX2);
      places[2 * i + 1] = second->place;
    }
  }
}

static int take_workspace(struct workspace *space, int depth) {
  size_t most = 2 * ((size_t)depth + 3) / 4 + 2;
  space->vectors = malloc(most * sizeof *space->vectors);
  space->offset = malloc(most * sizeof *space->offset);
  space->sign = malloc(most * sizeof *space->sign);
  space->runs = malloc(most * sizeof *space->runs);
  return space->vectors != NULL && space->offset != NULL && space->sign != NULL
      && space->runs != NULL;
}

static void free_workspace(struct workspace *space) {
  free(space->vectors);
  free(space->offset);
  free(space->sign);
  free(space->runs);
}

/* Where a layer's runs are before it is known how many there are. */
struct draft {
  int8_t *weights;
  int32_t *places;
  int *runs;        /* of each block */
  int *offset_runs; /* of these */
};

static int take_draft(struct draft *d, size_t blocks, size_t most) {
  d->weights = malloc(blocks * most * IVIT_RUN_AVX2);
  d->places = malloc(blocks * most * 2 * sizeof *d->places);
  d->runs = malloc(blocks * sizeof *d->runs);
  d->offset_runs = malloc(blocks * sizeof *d->offset_runs);
  return d->weights != NULL && d->places != NULL && d->runs != NULL && d->offset_runs != NULL;
}

static void free_draft(struct draft *d) {
  free(d->weights);
  free(d->places);
  free(d->runs);
  free(d->offset_runs);
}

static void set_lack(struct ivit_block_avx2 *block, const int8_t *end) {
  memset(block->lack, 0, sizeof block->lack);
  const int8_t *w = block->weights + (size_t)block->offset_runs * IVIT_RUN_AVX2;
  for (; w < end; w += IVIT_VECTOR_AVX2) {
    for (int i = 0; i < IVIT_VECTOR_AVX2; i++) {
      block->lack[i / 4] += 128 * w[i];
    }
  }
}

/* The draft's runs in memory of the arena, with what is packed there already given up. */
static int keep(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct draft *d, int blocks,
    size_t total) {
  size_t weights = total * IVIT_RUN_AVX2;
  size_t bytes = weights + total * 2 * sizeof(int32_t);
  /* Weights that change need more at times: not each time. */
  size_t spare = m->data == NULL ? 0 : bytes / 8;
  if (m->plan == NULL) {
    m->plan = ivit_arena_take(arena, (size_t)blocks * sizeof(struct ivit_block_avx2));
  }
  if (m->plan == NULL || (m->room < bytes && !ivit_matrix_take(arena, m, bytes + spare))) {
    return 0;
  }
  struct ivit_block_avx2 *block = m->plan;
  if (total == 0) {
    memset(block, 0, (size_t)blocks * sizeof *block);
    return 1;
  }
  int8_t *to = m->data;
  int32_t *places = (int32_t *)(void *)(m->data + weights);
  memcpy(to, d->weights, weights);
  memcpy(places, d->places, total * 2 * sizeof *places);
  for (int b = 0; b < blocks; b++, block++) {
    block->offset_runs = d->offset_runs[b];
    block->sign_runs = d->runs[b] - d->offset_runs[b];
    block->weights = to;
    block->places = places;
    to += (size_t)d->runs[b] * IVIT_RUN_AVX2;
    places += 2 * (size_t)d->runs[b];
    set_lack(block, to);
  }
  return 1;
}

int ivit_pack_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth) {
  m->groups = (depth + 3) / 4;
  int blocks = m->panels * (IVIT_COLUMNS / IVIT_BLOCK_AVX2);
  size_t most = 2 * (size_t)m->groups;
  struct workspace space;
  struct draft draft;
  size_t total = 0;
  int done = take_workspace(&space, depth) & take_draft(&draft, (size_t)blocks, most);
  for (int b = 0; done && b < blocks; b++) {
    draft.runs[b] =
        plan(m, weight, depth, b * IVIT_BLOCK_AVX2, &space, &draft.offset_runs[b]);
    write_runs(
        space.runs, draft.runs[b], draft.weights + total * IVIT_RUN_AVX2,
        draft.places + 2 * total);
    total += (size_t)draft.runs[b];
  }
  done = done && keep(arena, m, &draft, blocks, total);
  free_draft(&draft);
  free_workspace(&space);
  return done;
}
