/*
 * Weights with tables on AVX2: the runs of pack_avx2.c with indices in the place of weights. Of a panel
 * there are, in vectors of 32 (indices.h), indices of four vectors of runs at a time, of which index vector i
 * has columns i and 4 + i, [2 columns][4 vectors][4 neighbours]; behind them tables [2^bits / 16][4 blocks]
 * [4][2 columns][16]; then the number of vectors that hold zeros which tables do not give, and for each its
 * number in the panel and a bit a neighbour that stays.
 */
#include "indices.h"
#include "lanes_avx2.h"
#include "pack.h"
#include "plan_avx2.h"

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

enum {
  BLOCKS = IVIT_COLUMNS / IVIT_BLOCK_AVX2,
  VECTOR = IVIT_VECTOR_AVX2,
  FOUR = 4,                        /* vectors that are decoded together */
  EIGHT = 2 * FOUR,                /* whose fields share their bytes */
  SIXTEENTH = 16 * IVIT_COLUMNS,   /* bytes of sixteen entries of a panel's tables */
  HEAD = (BLOCKS * (int)sizeof(struct ivit_block_avx2) + IVIT_ALIGN - 1) / IVIT_ALIGN * IVIT_ALIGN
};

/* Where the parts of a packed panel are; the same in every panel of a matrix. */
struct layout {
  size_t indices; /* number of them */
  size_t tables;  /* bytes before them */
  size_t zeros;
};

static struct layout layout_of(size_t vectors, int bits) {
  struct layout l;
  l.indices = vectors * VECTOR;
  l.tables = ivit_indices_size(l.indices, bits);
  l.zeros = l.tables + ((size_t)1 << bits) * IVIT_COLUMNS;
  return l;
}

static int runs_of(const struct ivit_block_avx2 *b) {
  return b->runs[IVIT_OFFSET_AVX2] + b->runs[IVIT_CENTRED_AVX2] + b->runs[IVIT_SIGN_AVX2];
}

/* Vectors of a block, with what fills the last eight. */
static size_t vectors_of(const struct ivit_block_avx2 *b) {
  return ivit_round_up(2 * (size_t)runs_of(b), EIGHT);
}

/* The plan of a matrix that is kept as indices. */
struct kept {
  size_t vectors;                /* that a panel has room for */
  struct ivit_block_avx2 *block; /* with places, but without what decoding gives */
};

/* Blocks of a plan of pack_avx2.c. */
static const struct ivit_block_avx2 *blocks_of(const struct ivit_matrix *plan, int panel) {
  return (const struct ivit_block_avx2 *)plan->plan + BLOCKS * panel;
}

/* Of the panels of a plan: most vectors, vectors that need zeros, and bytes once they are decoded. */
struct most {
  size_t vectors;
  size_t zeros;
  size_t decoded;
};

/* Bits of the neighbours of a vector of which some column has a weight. */
static int neighbours_of(const int8_t *vector) {
  int any = 0;
  for (int i = 0; i < VECTOR; i++) {
    any |= (vector[i] != 0) << i % FOUR;
  }
  return any;
}

static struct most most_of(const struct ivit_matrix *plan) {
  struct most most = {0, 0, 0};
  for (int panel = 0; panel < plan->panels; panel++) {
    struct most of = {0, 0, HEAD};
    for (int i = 0; i < BLOCKS; i++) {
      const struct ivit_block_avx2 *b = blocks_of(plan, panel) + i;
      of.vectors += vectors_of(b);
      of.decoded += vectors_of(b) * VECTOR;
      of.decoded += (size_t)b->runs[IVIT_CENTRED_AVX2] * sizeof(__m256i);
      for (int v = 0; v < 2 * runs_of(b); v++) {
        of.zeros += neighbours_of(b->weights + v * VECTOR) != 0x0F;
      }
    }
    most.vectors = of.vectors > most.vectors ? of.vectors : most.vectors;
    most.zeros = of.zeros > most.zeros ? of.zeros : most.zeros;
    most.decoded = of.decoded > most.decoded ? of.decoded : most.decoded;
  }
  return most;
}

/* Indices of vector v of a panel, which meets codes from `place` on of a row whose planes are so far apart. */
static void pack_vector(
    uint8_t *to, const struct layout *l, const struct ivit_indices *w, const struct ivit_matrix *m,
    int column, size_t v, int place, size_t plane) {
  static const int order[IVIT_ORDERS_AVX2][FOUR] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}};
  const int *neighbour = order[(size_t)place / plane];
  int k = (int)((size_t)place % plane);
  for (int c = 0; c < IVIT_BLOCK_AVX2 && column + c < m->columns; c++) {
    for (int i = 0; i < FOUR; i++) {
      if (k + neighbour[i] < m->depth) {
        ivit_set_index(
            to, l->indices, VECTOR, w->bits, v / FOUR * FOUR + (size_t)(c % FOUR),
            16 * (c / FOUR) + FOUR * (int)(v % FOUR) + i,
            ivit_index(w, m->depth, column + c, k + neighbour[i]));
      }
    }
  }
}

static void pack_panel(
    const struct ivit_matrix *m, const struct ivit_indices *w, const struct ivit_matrix *plan,
    const struct layout *l, int panel) {
  uint8_t *to = (uint8_t *)m->data + (size_t)panel * m->packed_size;
  int32_t *zeros = (int32_t *)(void *)(to + l->zeros);
  size_t first = 0, plane = ivit_plane_avx2(m->groups);
  for (int i = 0; i < BLOCKS; i++) {
    const struct ivit_block_avx2 *b = blocks_of(plan, panel) + i;
    for (int v = 0; v < 2 * runs_of(b); v++) {
      int stay = neighbours_of(b->weights + v * VECTOR);
      pack_vector(
          to, l, w, m, panel * IVIT_COLUMNS + i * IVIT_BLOCK_AVX2, first + (size_t)v, b->places[v],
          plane);
      if (stay != 0x0F) {
        zeros[++*zeros] = ((int32_t)first + v) << 4 | stay;
      }
    }
    first += vectors_of(b);
  }
  size_t entries = (size_t)1 << w->bits;
  for (int c = 0; c < IVIT_COLUMNS && panel * IVIT_COLUMNS + c < m->columns; c++) {
    int block = c / IVIT_BLOCK_AVX2, lane = c % IVIT_BLOCK_AVX2 / FOUR;
    const int8_t *from = w->table + entries * (size_t)(panel * IVIT_COLUMNS + c);
    uint8_t *table = to + l->tables + 128 * block + 32 * (c % FOUR) + 16 * lane;
    for (size_t e = 0; e < entries; e += 16) {
      memcpy(table + e / 16 * SIXTEENTH, from + e, 16);
    }
  }
}

/* What stays of a plan that is given up. */
static int keep_plan(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_matrix *plan,
    size_t vectors) {
  size_t blocks = (size_t)m->panels * BLOCKS, places = 0;
  const struct ivit_block_avx2 *from = plan->plan;
  for (size_t b = 0; b < blocks; b++) {
    places += 2 * (size_t)runs_of(from + b);
  }
  struct kept *kept = ivit_arena_take(arena, sizeof *kept);
  struct ivit_block_avx2 *to = ivit_arena_take(arena, blocks * sizeof *to);
  int32_t *to_places = ivit_arena_take(arena, places * sizeof *to_places);
  if (kept == NULL || to == NULL || to_places == NULL) {
    return 0;
  }
  kept->vectors = vectors;
  kept->block = to;
  m->plan = kept;
  for (size_t b = 0; b < blocks; b++, from++, to++) {
    *to = *from;
    to->weights = NULL;
    to->centres = NULL;
    to->places = to_places;
    size_t n = 2 * (size_t)runs_of(from);
    for (size_t i = 0; i < n; i++) {
      *to_places++ = from->places[i];
    }
  }
  return 1;
}

static int pack_by_plan(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w,
    const struct ivit_matrix *plan) {
  struct most most = most_of(plan);
  struct layout l = layout_of(most.vectors, w->bits);
  m->bits = w->bits;
  m->groups = plan->groups;
  m->panel_size = ivit_round_up(most.decoded, IVIT_ALIGN);
  m->packed_size = ivit_round_up(l.zeros + (1 + most.zeros) * sizeof(int32_t), IVIT_ALIGN);
  size_t bytes = m->packed_size * (size_t)m->panels;
  if (!keep_plan(arena, m, plan, most.vectors) || !ivit_matrix_take(arena, m, bytes)) {
    return 0;
  }
  memset(m->data, 0, bytes);
  for (int panel = 0; panel < m->panels; panel++) {
    pack_panel(m, w, plan, &l, panel);
  }
  return 1;
}

/* All codes, absent inputs being zeros, which the caller frees; null where memory is short. */
static int8_t *codes_of(const struct ivit_matrix *m, const struct ivit_indices *w) {
  int8_t *codes = malloc((size_t)m->columns * (size_t)m->depth);
  for (int c = 0; codes != NULL && c < m->columns; c++) {
    int8_t *row = codes + (size_t)c * (size_t)m->depth;
    for (int k = 0; k < m->depth; k++) {
      row[k] = ivit_code_of(w, m->depth, c, k);
    }
    for (int i = 0; i < m->absents; i++) {
      row[m->absent[i]] = 0;
    }
  }
  return codes;
}

int ivit_pack_tables_avx2(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth) {
  m->depth = depth;
  int8_t *codes = codes_of(m, w);
  if (codes == NULL) {
    return 0;
  }
  int packed = 0;
  if (memchr(codes, INT8_MIN & 0xFF, (size_t)m->columns * (size_t)depth) != NULL) {
    m->decoding = NULL;
    packed = ivit_pack_avx2(arena, m, codes, depth);
  } else {
    struct ivit_arena *scratch = ivit_arena_new();
    struct ivit_matrix plan = {.columns = m->columns, .panels = m->panels};
    packed = scratch != NULL && ivit_pack_avx2(scratch, &plan, codes, depth)
        && pack_by_plan(arena, m, w, &plan);
    ivit_arena_free(scratch);
  }
  free(codes);
  return packed;
}

static inline __m256i load(const void *v) {
  return _mm256_load_si256((const __m256i *)v);
}

static inline __m256i lower(__m256i v) {
  return _mm256_and_si256(v, _mm256_set1_epi8(0x0F));
}

static inline __m256i upper(__m256i v) {
  return lower(_mm256_srli_epi16(v, 4));
}

/* So many vectors of a block. */
static inline __attribute__((always_inline)) void decode_block(
    const uint8_t *index, const uint8_t *fields, const uint8_t *tables, size_t vectors, int8_t *to,
    const int bits) {
  __m256i t[2][4];
  for (int i = 0; i < 4 << (bits - 4); i++) {
    t[i / 4][i % 4] = load(tables + i / 4 * SIXTEENTH + i % 4 * VECTOR);
  }
  for (size_t v = 0; v < vectors; v += FOUR, index += 2 * VECTOR, to += FOUR * VECTOR) {
    __m256i of_bytes = _mm256_setzero_si256();
    if (bits == 5) {
      of_bytes = _mm256_srl_epi16(load(fields + v / EIGHT * VECTOR), _mm_cvtsi32_si128(v & FOUR));
    }
    __m256i first = load(index), second = load(index + VECTOR);
    __m256i four[] = {
        ivit_entry_avx2(t, 0, lower(first), of_bytes, bits),
        ivit_entry_avx2(t, 1, upper(first), of_bytes, bits),
        ivit_entry_avx2(t, 2, lower(second), of_bytes, bits),
        ivit_entry_avx2(t, 3, upper(second), of_bytes, bits)};
    ivit_groups_of_four_avx2(four, to, VECTOR);
  }
}

static inline __attribute__((always_inline)) void decode_blocks(
    const struct ivit_matrix *m, int panel, struct ivit_block_avx2 *blocks, int8_t *to,
    const struct layout *l, const int bits) {
  const uint8_t *index = (const uint8_t *)m->data + (size_t)panel * m->packed_size;
  const uint8_t *fields = ivit_fields_of(index, l->indices), *tables = index + l->tables;
  for (int i = 0; i < BLOCKS; i++, tables += 4 * VECTOR) {
    size_t vectors = vectors_of(blocks + i), indices = vectors * VECTOR;
    decode_block(index, fields, tables, vectors, to, bits);
    blocks[i].weights = to;
    index += indices / 2;
    fields += ivit_indices_size(indices, bits) - indices / 2;
    to += indices;
  }
}

/* Zeros where a vector has no weights. */
static void clear(const int32_t *zeros, int8_t *weights) {
  static const int32_t bytes[16] = {
      0,          0x000000FF, 0x0000FF00, 0x0000FFFF, 0x00FF0000, 0x00FF00FF, 0x00FFFF00, 0x00FFFFFF,
      ~0xFFFFFF,  ~0xFFFF00,  ~0xFF00FF,  ~0xFF0000,  ~0xFFFF,    ~0xFF00,    ~0xFF,      ~0};
  for (int i = 1; i <= *zeros; i++) {
    __m256i *vector = (__m256i *)(void *)(weights + (size_t)(zeros[i] >> 4) * VECTOR);
    *vector = _mm256_and_si256(*vector, _mm256_set1_epi32(bytes[zeros[i] & 0x0F]));
  }
}

/* What takes sums to the middle, as pack_avx2.c has it: ((S - 1) >> 1) - 128 * S of a lane's weights S. */
static int16_t *write_centres(struct ivit_block_avx2 *b, int16_t *centres) {
  const __m256i ones = _mm256_set1_epi8(1), one = _mm256_set1_epi16(1);
  const int8_t *w = b->weights + (size_t)b->runs[IVIT_OFFSET_AVX2] * IVIT_RUN_AVX2;
  b->centres = centres;
  for (int i = 0; i < b->runs[IVIT_CENTRED_AVX2]; i++, w += IVIT_RUN_AVX2, centres += 16) {
    __m256i sums = _mm256_add_epi16(
        _mm256_maddubs_epi16(ones, load(w)), _mm256_maddubs_epi16(ones, load(w + VECTOR)));
    __m256i centre = _mm256_sub_epi16(
        _mm256_srai_epi16(_mm256_sub_epi16(sums, one), 1), _mm256_slli_epi16(sums, 7));
    _mm256_store_si256((__m256i *)(void *)centres, centre);
  }
  return centres;
}

void ivit_decode_tables_runs_avx2(const struct ivit_matrix *m, int panel, int8_t *to) {
  struct ivit_block_avx2 *blocks = (struct ivit_block_avx2 *)(void *)to;
  const struct kept *kept = m->plan;
  memcpy(blocks, kept->block + BLOCKS * panel, BLOCKS * sizeof *blocks);
  struct layout l = layout_of(kept->vectors, m->bits);
  int8_t *weights = to + HEAD;
  if (m->bits == 4) {
    decode_blocks(m, panel, blocks, weights, &l, 4);
  } else {
    decode_blocks(m, panel, blocks, weights, &l, 5);
  }
  const int8_t *packed = m->data + (size_t)panel * m->packed_size;
  clear((const int32_t *)(const void *)(packed + l.zeros), weights);
  int16_t *centres = (int16_t *)(void *)(weights);
  for (int i = 0; i < BLOCKS; i++) {
    centres += vectors_of(blocks + i) * VECTOR / sizeof *centres;
  }
  for (int i = 0; i < BLOCKS; i++) {
    centres = write_centres(blocks + i, centres);
  }
}
