/*
 * Orders the weights of a product for AVX2, so that every sum of 16 bits holds
 * (docs/arithmetic.md#sixteen-bits-that-hold).
 */
#include "lanes_avx2.h"
#include "pack.h"
#include "plan_avx2.h"

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

enum {
  WORDS = 16, /* sums of two products in a vector */
  /* 255 times the positive weights, and times the negative ones, stay within 16 bits. */
  OFFSET_BOUND = INT16_MAX / 255,
  /* 255 times their magnitudes are a width of 16 bits. */
  CENTRED_BOUND = UINT16_MAX / 255,
  /* 128 times their magnitudes. */
  SIGN_BOUND = INT16_MAX / 128,
  TRIES = 48 /* partners that are looked at */
};

/* Four neighbours along K of eight columns. */
struct vector {
  _Alignas(32) int8_t weights[IVIT_VECTOR_AVX2];
  int place; /* of the first of them along K */
  int order; /* of the four: a plane of arranged rows has its codes so */
  /* Sums of the positive weights and of the negated negative ones in each word. */
  _Alignas(32) int16_t positive[WORDS];
  _Alignas(32) int16_t negative[WORDS];
  int heaviest; /* of all words of both */
  int magnitude; /* of all words of their sum */
};

static inline __m256i words(const int16_t *w) {
  return _mm256_load_si256((const __m256i *)w);
}

static int largest(__m256i words) {
  __m128i v = _mm_max_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  /* The smallest of the complements, by the one horizontal minimum that there is. */
  v = _mm_minpos_epu16(_mm_xor_si128(v, _mm_set1_epi16(-1)));
  return 0xFFFF - (_mm_cvtsi128_si32(v) & 0xFFFF);
}

static void weigh(struct vector *v) {
  const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi8(1);
  __m256i w = _mm256_load_si256((const __m256i *)v->weights);
  __m256i positive = _mm256_maddubs_epi16(ones, _mm256_max_epi8(w, zero));
  __m256i negative = _mm256_maddubs_epi16(ones, _mm256_max_epi8(_mm256_sub_epi8(zero, w), zero));
  _mm256_store_si256((__m256i *)v->positive, positive);
  _mm256_store_si256((__m256i *)v->negative, negative);
  v->heaviest = largest(_mm256_max_epi16(positive, negative));
  v->magnitude = largest(_mm256_add_epi16(positive, negative));
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

/*
 * Takes the order of neighbours whose sums of two are smallest. Magnitudes lie in their own order
 * only, so that is kept where no order helps.
 */
static void settle(struct vector *v) {
  weigh(v);
  struct vector best = *v;
  for (int order = 1; order < IVIT_ORDERS_AVX2; order++) {
    struct vector other = *v;
    other.order = order;
    __m256i w = _mm256_load_si256((const __m256i *)v->weights);
    w = _mm256_shuffle_epi8(w, ivit_order_of_avx2(order));
    _mm256_store_si256((__m256i *)other.weights, w);
    weigh(&other);
    if (other.heaviest < best.heaviest) {
      best = other;
    }
  }
  if (best.heaviest <= OFFSET_BOUND) {
    *v = best;
  }
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
      settle(&v[count++]);
    }
  }
  return count;
}

static __m256i positive_of(const struct vector *a, const struct vector *b) {
  return _mm256_add_epi16(words(a->positive), words(b->positive));
}

static __m256i negative_of(const struct vector *a, const struct vector *b) {
  return _mm256_add_epi16(words(a->negative), words(b->negative));
}

static int all_within(__m256i words, int bound) {
  __m256i beyond = _mm256_cmpgt_epi16(words, _mm256_set1_epi16((int16_t)bound));
  return _mm256_testz_si256(beyond, beyond);
}

static int holds_with_offset(const struct vector *a, const struct vector *b) {
  return all_within(_mm256_max_epi16(positive_of(a, b), negative_of(a, b)), OFFSET_BOUND);
}

static int magnitude_within(const struct vector *a, const struct vector *b, int bound) {
  return all_within(_mm256_add_epi16(positive_of(a, b), negative_of(a, b)), bound);
}

/* Of vectors each of which holds alone, so that no instruction saturates. */
static int holds_centred(const struct vector *a, const struct vector *b) {
  return magnitude_within(a, b, CENTRED_BOUND);
}

static int holds_with_sign(const struct vector *a, const struct vector *b) {
  return a->order == 0 && b->order == 0 && magnitude_within(a, b, SIGN_BOUND);
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

typedef int test(const struct vector *a, const struct vector *b);
typedef int order(const void *a, const void *b);

/* Vectors in order, heaviest first; those that a run took are null until they are put in order. */
struct list {
  struct vector **v;
  int n;
};

static void put_in_order(struct list *l, order *by) {
  int n = 0;
  for (int i = 0; i < l->n; i++) {
    if (l->v[i] != NULL) {
      l->v[n++] = l->v[i];
    }
  }
  l->n = n;
  if (n > 0) {
    qsort(l->v, (size_t)n, sizeof *l->v, by);
  }
}

struct run {
  const struct vector *first;
  const struct vector *second; /* may be null */
};

struct runs {
  struct run *run;
  int n;
};

static void add_run(struct runs *runs, const struct vector *first, const struct vector *second) {
  runs->run[runs->n].first = first;
  runs->run[runs->n++].second = second;
}

/* Takes the heaviest of the lightest partners, from `from` on, that v holds with; null: none. */
static struct vector *take_partner(
    const struct vector *v, struct list *partners, int from, test *holds) {
  int found = -1;
  int tries = 0;
  for (int j = partners->n - 1; j >= from && tries < TRIES; j--) {
    if (partners->v[j] == NULL) {
      continue;
    }
    if (holds(v, partners->v[j])) {
      found = j;
    } else if (found >= 0) {
      break;
    }
    tries++;
  }
  if (found < 0) {
    return NULL;
  }
  struct vector *partner = partners->v[found];
  partners->v[found] = NULL;
  return partner;
}

/* Pairs vectors with partners, which may be the same list, heaviest first. */
static void pair(struct list *l, struct list *partners, test *holds, struct runs *runs) {
  for (int i = 0; i < l->n; i++) {
    struct vector *v = l->v[i];
    if (v == NULL) {
      continue;
    }
    struct vector *partner = take_partner(v, partners, l == partners ? i + 1 : 0, holds);
    if (partner != NULL) {
      add_run(runs, v, partner);
      l->v[i] = NULL;
    }
  }
}

static void take_alone(struct list *l, struct runs *runs) {
  for (int i = 0; i < l->n; i++) {
    if (l->v[i] != NULL) {
      add_run(runs, l->v[i], NULL);
    }
  }
}

struct workspace {
  struct vector *vectors;
  struct list light; /* that hold with offset codes alone */
  struct list heavy; /* the others */
  struct runs runs[IVIT_KINDS_AVX2];
};

/*
 * Runs of one block: as many of offset codes as there are, then partners for those that hold with
 * magnitudes only, then the rest of the light ones, centred.
 */
static void plan(
    const struct ivit_matrix *m, const int8_t *weight, int depth, int column,
    struct workspace *space) {
  struct list *light = &space->light, *heavy = &space->heavy;
  int n = vectors_of(m, weight, depth, column, space->vectors);
  light->n = 0;
  heavy->n = 0;
  for (int i = 0; i < n; i++) {
    struct vector *v = &space->vectors[i];
    struct list *l = v->heaviest <= OFFSET_BOUND ? light : heavy;
    l->v[l->n++] = v;
  }
  struct runs *runs = space->runs;
  for (int kind = 0; kind < IVIT_KINDS_AVX2; kind++) {
    runs[kind].n = 0;
  }
  put_in_order(light, by_heaviest);
  pair(light, light, holds_with_offset, &runs[IVIT_OFFSET_AVX2]);
  put_in_order(light, by_magnitude);
  put_in_order(heavy, by_magnitude);
  pair(heavy, heavy, holds_with_sign, &runs[IVIT_SIGN_AVX2]);
  pair(heavy, light, holds_with_sign, &runs[IVIT_SIGN_AVX2]);
  pair(light, light, holds_centred, &runs[IVIT_CENTRED_AVX2]);
  take_alone(heavy, &runs[IVIT_SIGN_AVX2]);
  take_alone(light, &runs[IVIT_OFFSET_AVX2]);
}

static int32_t place_of(const struct vector *v, size_t plane) {
  return (int32_t)((size_t)v->order * plane) + v->place;
}

static void write_runs(const struct runs *runs, size_t plane, int8_t *weights, int32_t *places) {
  for (int i = 0; i < runs->n; i++, weights += IVIT_RUN_AVX2) {
    const struct vector *first = runs->run[i].first, *second = runs->run[i].second;
    memcpy(weights, first->weights, IVIT_VECTOR_AVX2);
    places[2 * i] = place_of(first, plane);
    if (second == NULL) {
      memset(weights + IVIT_VECTOR_AVX2, 0, IVIT_VECTOR_AVX2);
      places[2 * i + 1] = places[2 * i];
    } else {
      memcpy(weights + IVIT_VECTOR_AVX2, second->weights, IVIT_VECTOR_AVX2);
      places[2 * i + 1] = place_of(second, plane);
    }
  }
}

/* What takes the sums, from -255 times the negative weights on, to the middle of 16 bits. */
static void write_centres(const struct runs *runs, int16_t *centres) {
  for (int i = 0; i < runs->n; i++) {
    const struct vector *first = runs->run[i].first, *second = runs->run[i].second;
    for (int j = 0; j < WORDS; j++) {
      int positive = first->positive[j] + second->positive[j];
      int negative = first->negative[j] + second->negative[j];
      /* Never more than half a unit off the middle, and the upper end is the nearer one. */
      *centres++ = (int16_t)((255 * (negative - positive) - 1) >> 1);
    }
  }
}

static void take_workspace(struct ivit_arena *arena, struct workspace *space, size_t most) {
  space->vectors = ivit_arena_take(arena, most * sizeof *space->vectors);
  space->light.v = ivit_arena_take(arena, most * sizeof *space->light.v);
  space->heavy.v = ivit_arena_take(arena, most * sizeof *space->heavy.v);
  for (int kind = 0; kind < IVIT_KINDS_AVX2; kind++) {
    space->runs[kind].run = ivit_arena_take(arena, most * sizeof *space->runs[kind].run);
  }
}

/* Where a layer's runs are before it is known how many there are. */
struct draft {
  int8_t *weights;
  int32_t *places;
  int16_t *centres;
  int (*runs)[IVIT_KINDS_AVX2]; /* of each block */
  size_t total;
  size_t centred;
};

/* Of the size of the weights and more, most of it never touched: so not of an arena, which clears. */
static int take_draft(struct draft *d, size_t blocks, size_t most) {
  d->weights = malloc(blocks * most * IVIT_RUN_AVX2);
  d->places = malloc(blocks * most * 2 * sizeof *d->places);
  d->centres = malloc(blocks * most * WORDS * sizeof *d->centres);
  d->runs = malloc(blocks * sizeof *d->runs);
  d->total = 0;
  d->centred = 0;
  return d->weights != NULL && d->places != NULL && d->centres != NULL && d->runs != NULL;
}

static void free_draft(struct draft *d) {
  free(d->weights);
  free(d->places);
  free(d->centres);
  free(d->runs);
}

static void add_block(struct draft *d, int block, size_t plane, const struct runs *runs) {
  write_centres(&runs[IVIT_CENTRED_AVX2], d->centres + WORDS * d->centred);
  d->centred += (size_t)runs[IVIT_CENTRED_AVX2].n;
  for (int kind = 0; kind < IVIT_KINDS_AVX2; kind++) {
    write_runs(
        &runs[kind], plane, d->weights + d->total * IVIT_RUN_AVX2, d->places + 2 * d->total);
    d->runs[block][kind] = runs[kind].n;
    d->total += (size_t)runs[kind].n;
  }
}

static void set_lack(struct ivit_block_avx2 *b) {
  memset(b->lack, 0, sizeof b->lack);
  const int *runs = b->runs;
  const int8_t *w = b->weights
      + (size_t)(runs[IVIT_OFFSET_AVX2] + runs[IVIT_CENTRED_AVX2]) * IVIT_RUN_AVX2;
  for (int i = 0; i < runs[IVIT_SIGN_AVX2] * IVIT_RUN_AVX2; i++) {
    b->lack[i % IVIT_VECTOR_AVX2 / 4] += 128 * w[i];
  }
  for (int i = 0; i < runs[IVIT_CENTRED_AVX2] * WORDS; i++) {
    b->lack[i % WORDS / 2] -= b->centres[i];
  }
}

/* The draft's runs in memory of the arena, with what is packed there already given up. */
static int keep(struct ivit_arena *arena, struct ivit_matrix *m, const struct draft *d, int blocks) {
  size_t weights = d->total * IVIT_RUN_AVX2;
  size_t centres = d->centred * WORDS * sizeof *d->centres;
  size_t places = d->total * 2 * sizeof *d->places;
  size_t bytes = weights + centres + places;
  /* Weights that change need more at times: not each time. */
  size_t spare = m->data == NULL ? 0 : bytes / 8;
  if (m->plan == NULL) {
    m->plan = ivit_arena_take(arena, (size_t)blocks * sizeof(struct ivit_block_avx2));
  }
  if (m->plan == NULL || (m->room < bytes && !ivit_matrix_take(arena, m, bytes + spare))) {
    return 0;
  }
  struct ivit_block_avx2 *block = m->plan;
  if (d->total == 0) {
    memset(block, 0, (size_t)blocks * sizeof *block);
    return 1;
  }
  int8_t *to = m->data;
  int16_t *to_centres = (int16_t *)(void *)(m->data + weights);
  int32_t *to_places = (int32_t *)(void *)(m->data + weights + centres);
  memcpy(to, d->weights, weights);
  memcpy(to_centres, d->centres, centres);
  memcpy(to_places, d->places, places);
  for (int b = 0; b < blocks; b++, block++) {
    memcpy(block->runs, d->runs[b], sizeof block->runs);
    block->weights = to;
    block->places = to_places;
    block->centres = to_centres;
    set_lack(block);
    for (int kind = 0; kind < IVIT_KINDS_AVX2; kind++) {
      to += block->runs[kind] * IVIT_RUN_AVX2;
      to_places += 2 * block->runs[kind];
    }
    to_centres += WORDS * block->runs[IVIT_CENTRED_AVX2];
  }
  return 1;
}

int ivit_pack_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth) {
  m->groups = (depth + 3) / 4;
  int blocks = m->panels * (IVIT_COLUMNS / IVIT_BLOCK_AVX2);
  /* A group is a vector, and another where it has a weight of -128. */
  size_t most = 2 * (size_t)m->groups;
  struct workspace space;
  struct draft draft;
  struct ivit_arena *scratch = ivit_arena_new();
  if (scratch == NULL) {
    return 0;
  }
  /* One more, which is cleared before it is known whether there is one. */
  take_workspace(scratch, &space, most + 1);
  int done = take_draft(&draft, (size_t)blocks, most) & ivit_arena_whole(scratch);
  for (int b = 0; done && b < blocks; b++) {
    plan(m, weight, depth, b * IVIT_BLOCK_AVX2, &space);
    add_block(&draft, b, ivit_plane_avx2(m->groups), space.runs);
  }
  done = done && keep(arena, m, &draft, blocks);
  free_draft(&draft);
  ivit_arena_free(scratch);
  return done;
}
