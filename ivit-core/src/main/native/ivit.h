/*
 * The integer forward pass in C: types and kernels, free of JNI.
 *
 * One convention runs through all of it. An 8-bit code that feeds a matrix product is stored as
 * code + zero in an unsigned byte, zero being the kernel set's own: 128 where the instructions that
 * multiply bytes take their left operand unsigned (vpmaddubsw, vpdpbusd, tdpbusd), 0 where it is
 * signed. The right operand's bias takes the 128 back out exactly: sum (x+128)*w - 128*sum w. Sums
 * wrap modulo 2^32 on the way; the bounds proved by the graph say that the final accumulator does
 * not.
 *
 * There is no floating point in this folder.
 */
#ifndef IVIT_H
#define IVIT_H

#include <stddef.h>
#include <stdint.h>

enum {
  IVIT_COLUMNS = 32,   /* columns of a panel of a packed matrix */
  IVIT_TILE_ROWS = 32, /* most rows of a tile of any instruction set */
  IVIT_CHUNK = 120,    /* rows that pass through a block together: whole tiles of most kernels */
  IVIT_ALIGN = 64,
  IVIT_TURN_ONE = 1 << 14, /* a cosine of 1 */
  IVIT_K_GROUP = 16,   /* groups of four along K are padded to this: a tile register of AMX */
  IVIT_GROUP = 32      /* inputs of which the weights of a column share a multiplier */
};

/* Blocks of zeroed memory that are freed together; allocation fails only as a whole. */
struct ivit_arena;
struct ivit_arena *ivit_arena_new(void);
void *ivit_arena_take(struct ivit_arena *arena, size_t bytes);
/* Whether every block so far could be had. */
int ivit_arena_whole(const struct ivit_arena *arena);
void ivit_arena_free(struct ivit_arena *arena);

/*
 * The right operand of a product, in a layout of the kernel set's own. That for byte dot products
 * is [panels][groups][32][4], a group being four neighbours along K; what lies beyond the matrix is
 * zero there.
 */
struct ivit_matrix {
  int columns;
  int panels;
  int groups;        /* that hold anything */
  size_t panel_size; /* bytes from one panel to the next */
  int8_t *data;
  size_t room; /* bytes at data */
  void *plan;  /* what else a kernel set keeps */
  /*
   * How data decode, a panel at a time, to what lies there elsewhere; null where they are that. Then
   * panel_size is of a decoded panel, and packed_size of one at data.
   */
  const struct ivit_decoding *decoding;
  size_t packed_size;
  int bits;          /* of an index */
  int shift;         /* of products with multipliers */
  int depth;         /* inputs */
  const int *absent; /* those of them whose codes are zero, whatever their indices are */
  int absents;
};

/*
 * acc[c] = ((sum over high) << shift) + (sum over main) + bias[c], modulo 2^32. High are the
 * outlier channels of a linear layer, or the upper bytes of 16-bit probabilities; it may be empty.
 */
struct ivit_operand {
  struct ivit_matrix main;
  struct ivit_matrix high;
  int shift;
  int32_t *bias; /* [panels * 32] */
};

/*
 * Dyadic multipliers of columns, prepared so that the upper half of one 32 x 32 bit product is
 * enough: (z*m + 2^(e-1)) >> e with e >= 33 is (hi32(z*m) + half) >> shift. Where e is smaller, z
 * is shifted left first, after a clamp that only touches what saturates anyway.
 */
struct ivit_requant {
  int prescaled; /* whether any column is shifted left first */
  int32_t *multiplier;
  int32_t *limit;
  int32_t *prescale;
  int32_t *half;
  int32_t *shift;
};

/* One dyadic multiplier of 16-bit codes, prepared in the same way. */
struct ivit_dyadic {
  int32_t multiplier;
  int32_t prescale;
  int32_t half;
  int32_t shift;
};

/* A residual add: clamp16(branch * code + identity * code). */
struct ivit_adder {
  struct ivit_dyadic branch;
  struct ivit_dyadic identity;
};

struct ivit_linear {
  int inputs;
  int outputs;
  int outliers; /* number of input channels in operand.high */
  int *outlier; /* their indices */
  struct ivit_operand operand;
  struct ivit_requant requant;
  int32_t *exact_multiplier; /* of logits, which are not clamped, as the graph has them */
  uint8_t *exact_shift;
};

/* GELU by table from stored codes to stored codes. */
struct ivit_gelu {
  int by_row;             /* the row's maximum selects one of 256 tables */
  uint8_t *table;         /* [256], or [row maximum, stored][256] */
  uint8_t *outlier_table; /* [256] for the columns marked in outliers */
  uint32_t *outliers;     /* a bit a column, one word a panel; null without outliers */
};

/*
 * Sines and cosines of rotary positions for the panels of queries, keys and values. The channels of
 * queries and keys lie in an order in which pairs are neighbours. A row of the table is [2][32]: its
 * first half times the codes of a panel, summed by pairs, makes the even columns, its second the odd.
 * Panels that begin at the same channel of a head share a pattern; values are not turned.
 */
struct ivit_turns {
  int tokens;
  int *pattern;   /* of a panel */
  int16_t *table; /* [patterns][tokens][2][32] */
};

struct ivit_rotation {
  const struct ivit_turns *turns;
  struct ivit_requant requant; /* one multiplier */
};

/* SwiGLU: table[gate] * value by a multiplier a column. */
struct ivit_gating {
  int16_t table[256]; /* by stored gate */
  uint8_t low[256];   /* its bytes */
  uint8_t high[256];
  struct ivit_requant product;
};

struct ivit_norm {
  int channels;
  int shift;
  uint64_t epsilon; /* added to the sum of squares; at most 2^60 */
  int32_t *multiplier;
  int64_t *offset;      /* rounding included */
  int64_t *offset_even; /* the same by parity of the channel, in step with 64-bit lanes */
  int64_t *offset_odd;
};

struct ivit_softmax {
  int bits;
  int deferred; /* probabilities are the exponentials; their sum is divided out of the context */
  uint32_t rounding;
  uint32_t exponentials[257];
  int narrow; /* E[0] has 16 bits and every factor too: 16-bit lanes are enough */
  uint8_t low[256]; /* bytes of E where narrow */
  uint8_t high[256];
};

/* What the scores of a window take on before the softmax. */
struct ivit_window {
  int tokens;
  int words;             /* 64-bit words of a row of a mask */
  int narrow;            /* both terms stay below 2^14: 16-bit lanes are enough */
  int32_t score[256];    /* requantized score, by stored code */
  uint8_t score_low[256]; /* its bytes where narrow */
  uint8_t score_high[256];
  int leading;           /* tokens before the grid, 0 or 1 */
  size_t of_head;        /* biases of a head */
  size_t *begin;         /* of a query's biases of the first head */
  int32_t *bias;         /* as window.h reads them; null where narrow */
  int16_t *bias16;       /* the same where narrow */
  int32_t *leading_bias; /* by a leading token, [heads]: of a query of the grid, of its own */
  uint64_t **masks;  /* [windows]: [query][words], a bit a masked key; null where none is */
};

/*
 * Attention of tokens to each other, or, where `pooling`, of one constant query to them: then a row
 * of its input has values, behind them a score a head.
 */
struct ivit_attention {
  int pooling;
  int heads;
  int head_dim;
  int tokens; /* of a group */
  struct ivit_requant scores;  /* one multiplier in every column */
  struct ivit_requant *context; /* [heads] */
  struct ivit_softmax softmax;
  struct ivit_window *window; /* null where scores take no bias */
};

/* One head of one group of tokens. */
struct ivit_head {
  const uint8_t *queries; /* row of the group's first token */
  const uint8_t *keys;
  const uint8_t *values;
  size_t stride;
  int tokens;
  int dim;
};

/*
 * Accumulators of at most `rows` rows and one panel, acc[row][32]. May read, not use, up to 63
 * bytes beyond a row and as many rows as a tile has.
 */
typedef void ivit_tile(
    const uint8_t *x, size_t ldx, const uint8_t *high, size_t ldh, int rows,
    const struct ivit_operand *w, int panel, int32_t *acc);

/*
 * Weights [columns][depth] of `bits` bits, 4 to 6. An index i stands for entry i of the column's table,
 * or, with q = i - 2^(bits - 1) and m the multiplier of the column's group of IVIT_GROUP inputs, for
 * (q * m + half of 2^shift) >> shift.
 */
struct ivit_indices {
  const uint8_t *index;      /* a column's without gaps, lowest bit first; columns begin with a byte */
  const int8_t *table;       /* [columns][2^bits]; null where there are multipliers */
  const uint8_t *multiplier; /* [columns][groups]; null where there are tables */
  int bits;
  int shift; /* 0 to bits - 1 */
};

static inline int ivit_index(const struct ivit_indices *w, int depth, int column, int k) {
  size_t row = ((size_t)depth * (size_t)w->bits + 7) / 8, bit = (size_t)k * (size_t)w->bits;
  const uint8_t *at = w->index + (size_t)column * row + bit / 8;
  int first = (int)(bit % 8), window = *at;
  if (first + w->bits > 8) {
    window |= at[1] << 8;
  }
  return window >> first & ((1 << w->bits) - 1);
}

/* The multiplier of an input. */
static inline int ivit_multiplier(const struct ivit_indices *w, int depth, int column, int k) {
  int groups = (depth + IVIT_GROUP - 1) / IVIT_GROUP;
  return w->multiplier[(size_t)column * (size_t)groups + (size_t)(k / IVIT_GROUP)];
}

/* How a kernel set keeps weights as indices. */
struct ivit_decoding {
  /*
   * Packs them into a matrix whose columns, panels and absent inputs are set; memory is the arena's.
   * Returns 0 where there is none.
   */
  int (*pack)(
      struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth);

  /* A panel, to panel_size bytes of whole cache lines. */
  void (*decode)(const struct ivit_matrix *m, int panel, int8_t *to);

  /* By a matrix whose panels are all at data, decoded. */
  ivit_tile *tile;
  int rows;     /* of it, at most IVIT_TILE_ROWS */
  int arranged; /* whether its rows are arranged, where the set's are */
};

/* The kernels of one instruction set. */
struct ivit_kernels {
  const char *name;
  int rows;     /* of a tile, at most IVIT_TILE_ROWS */
  uint8_t zero; /* what a code of 0 is stored as */

  /*
   * Packs weights [columns][depth] into a matrix whose columns and panels are set; memory is the
   * arena's, and what an earlier call took is used again. Returns 0 where there is none.
   */
  int (*pack)(struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth);

  /*
   * Of tables of 4 and 5 bits, of multipliers of 4 bits without a shift, and of multipliers of 5 and 6
   * bits. Where it is null, and of anything else, weights are decoded once and packed by `pack`.
   */
  const struct ivit_decoding *tables;
  const struct ivit_decoding *groups;
  const struct ivit_decoding *wide_groups;

  /*
   * Brings a row of n codes into the form that `tile` reads, `planes` times as many bytes, each
   * plane a multiple of 64; null where that is the row as it is.
   */
  int planes;
  void (*arrange)(const uint8_t *x, int n, uint8_t *out);

  /*
   * Packs the keys of a head, and their bias, as the right operand of `scores`; its values as that
   * of `context`, whose bias is zero unless this sets it. There is room for two bytes a code
   * (ivit_matrix_room).
   */
  void (*pack_keys)(const struct ivit_head *head, struct ivit_operand *keys);
  void (*pack_values)(const struct ivit_head *head, int bits, struct ivit_operand *values);

  /* Around a run of tiles in one thread; null where nothing is to be set up. */
  void (*enter)(void);
  void (*leave)(void);

  ivit_tile *tile;    /* of a linear layer */
  ivit_tile *scores;  /* of queries by keys; nothing is high */
  ivit_tile *context; /* of probabilities, as softmax leaves them, by values */

  /* n <= 32 columns from `column`, as stored codes to out[row] + column; gelu may be null. */
  void (*to8)(
      const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
      int column, int n, uint8_t *const *out);

  /* The same to 16 bits and added to identity[row] + column; out may be the identity. */
  void (*add16)(
      const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
      int column, int n, const int16_t *const *identity, int16_t *const *out);

  /*
   * The same of queries, keys and values to 16 bits, whose neighbours are pairs that turn, and to
   * stored codes by the one multiplier of `turned`. turns[row] are a row of ivit_turns.
   */
  void (*turn8)(
      const int32_t *acc, int rows, const struct ivit_requant *q,
      const struct ivit_requant *turned, int column, int n, const int16_t *const *turns,
      uint8_t *const *out);

  /*
   * Gated values of n <= 32 columns from `column` to stored codes, or to 16-bit codes. Rows of gates
   * and values are readable up to whole panels.
   */
  void (*gate8)(
      const uint8_t *const *gates, const uint8_t *const *values, int rows,
      const struct ivit_gating *g, int column, int n, uint8_t *const *out);
  void (*gate16)(
      const uint8_t *const *gates, const uint8_t *const *values, int rows,
      const struct ivit_gating *g, int column, int n, int16_t *const *out);

  /* One row of 16-bit codes to stored codes, or to 16-bit codes; these rows do not overlap. */
  void (*norm)(const int16_t *x, const struct ivit_norm *norm, uint8_t *out);
  void (*norm16)(const int16_t *x, const struct ivit_norm *norm, int16_t *out);

  /*
   * One row of stored codes of scores, in place to biased ones. Rows are readable and writable up
   * to a multiple of 64.
   */
  void (*bias)(uint8_t *scores, const struct ivit_window *window, int head, int query);

  /*
   * One row of scores to probabilities, which are zero from n to the next multiple of 64. Their
   * form is the set's own and fills 2 * plane bytes at most, plane being a multiple of 64 above n.
   * For byte dot products lower bytes lie at `out`, upper bytes (where bits > 8, else anything) at
   * out + plane. Masked keys have a bit in `mask`, which may be null. Returns what the row's
   * context is to be multiplied with, of use where that is deferred.
   */
  int32_t (*softmax)(
      const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
      uint8_t *out, size_t plane);

  /* acc = (acc * factor[row] + 2^15) >> 16 in a tile. */
  void (*normalise)(int32_t *acc, int rows, const int32_t *factor);
};

extern const struct ivit_kernels ivit_kernels_c;

/* Names of the sets in this library, fastest first, to a null. */
extern const char *const ivit_kernels_names[];

/* The kernels of a name; null with a reason where they do not run here. */
const struct ivit_kernels *ivit_kernels_find(const char *name, const char **reason);

/* What this processor lacks of features, words of kernel_sets with commas between; null: nothing. */
const char *ivit_features_lacking(const char *features);

/* The same whether they run here or not; null where this library has none. */
const struct ivit_kernels *ivit_kernels_named(const char *name);

/* pack_dot.c: the layout for byte dot products, of codes stored with 128 for zero. */
int ivit_pack_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const int8_t *weight, int depth);
void ivit_pack_keys_dot(const struct ivit_head *head, struct ivit_operand *keys);
void ivit_pack_values_dot(const struct ivit_head *head, int bits, struct ivit_operand *values);

/*
 * decode_dot.c: indices for byte dot products, in vectors of 64 (indices.h), and behind them what decodes
 * them. Vector 2 g + h of multipliers has group g along K of the columns from 16 h on, [16 columns][4].
 * Vector 8 s + 4 h + p of tables has sixteen places along K, from 16 s on, of each fourth column from
 * 16 h + p on, [4 columns][16]. Multipliers are [depth / 32][32 columns], tables [2^bits / 16][2 halves]
 * [4 columns of a lane][4 lanes][16].
 */
int ivit_pack_groups_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth);
int ivit_pack_wide_groups_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth);
int ivit_pack_tables_dot(
    struct ivit_arena *arena, struct ivit_matrix *m, const struct ivit_indices *w, int depth);
void ivit_decode_groups_dot(const struct ivit_matrix *m, int panel, int8_t *to);
void ivit_decode_wide_groups_dot(const struct ivit_matrix *m, int panel, int8_t *to);
void ivit_decode_tables_dot(const struct ivit_matrix *m, int panel, int8_t *to);
/* What is absent or beyond the depth of a decoded panel becomes zero. */
void ivit_clear_dot(const struct ivit_matrix *m, int8_t *to);

ivit_tile ivit_tile_c;
void ivit_to8_c(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_gelu *gelu,
    int column, int n, uint8_t *const *out);
void ivit_add16_c(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_adder *adder,
    int column, int n, const int16_t *const *identity, int16_t *const *out);
void ivit_turn8_c(
    const int32_t *acc, int rows, const struct ivit_requant *q, const struct ivit_requant *turned,
    int column, int n, const int16_t *const *turns, uint8_t *const *out);
void ivit_gate8_c(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, uint8_t *const *out);
void ivit_gate16_c(
    const uint8_t *const *gates, const uint8_t *const *values, int rows,
    const struct ivit_gating *g, int column, int n, int16_t *const *out);
void ivit_norm_c(const int16_t *x, const struct ivit_norm *norm, uint8_t *out);
void ivit_norm16_c(const int16_t *x, const struct ivit_norm *norm, int16_t *out);
void ivit_bias_c(uint8_t *scores, const struct ivit_window *window, int head, int query);
int32_t ivit_softmax_c(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane);
void ivit_normalise_c(int32_t *acc, int rows, const int32_t *factor);

/* norm_statistics.c */
int32_t ivit_norm_mean(int64_t sum, int channels);
int32_t ivit_norm_factor(uint64_t squares);

static inline size_t ivit_round_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

/* Bytes from one row of codes to the next: whole cache lines, not all in one set of the cache. */
static inline size_t ivit_stride(size_t n) {
  size_t stride = ivit_round_up(n, IVIT_ALIGN);
  return stride % 512 == 0 ? stride + IVIT_ALIGN : stride;
}

/*
 * Asks for weights that a loop will read 4 KiB further on: those of a large layer come from the
 * second-level cache, sooner so than the processor would fetch them by itself.
 */
static inline void ivit_fetch_ahead(const int8_t *weights) {
  __builtin_prefetch((const char *)weights + 4096);
}

/* Asks for a line that is read once, later, to the second-level cache. */
static inline void ivit_fetch_second(const int8_t *line) {
  __builtin_prefetch(line, 0, 2);
}

#endif
