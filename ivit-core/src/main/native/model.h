/* A model as steps over rows of tokens, and the memory that one picture and one thread need. */
#ifndef IVIT_MODEL_H
#define IVIT_MODEL_H

#include "ivit.h"

/*
 * A transformer block, with rotary positions where `rotation` is set, with a gated MLP where
 * `gating` is. Tokens x lie in the order of the picture; queries, keys, values and contexts
 * in the order of the block's windows. An attention pooling is one, too, whose first row alone goes
 * on after the attention: its `qkv` gives values and scores, its projection is added to zeros.
 */
struct ivit_block {
  int dim;
  int hidden;
  int tokens;
  int *order;  /* picture index of the token at each place; null where they are the same */
  int *places; /* the inverse */
  int tokens_in; /* which of a picture's two token buffers it works on */
  int qkv_in;    /* which of its two buffers of queries, keys and values */
  struct ivit_norm *norm1;
  struct ivit_linear *qkv;
  const struct ivit_rotation *rotation; /* may be null */
  struct ivit_attention *attention;
  struct ivit_linear *proj;
  const int16_t *zeros; /* [dim] where the projection is added to them, else null */
  struct ivit_adder residual1;
  struct ivit_norm *norm2;
  struct ivit_linear *fc1;    /* of a gated MLP the gate */
  struct ivit_gelu *gelu;     /* null in a gated MLP */
  struct ivit_linear *value;  /* null in a plain MLP, as the next two */
  struct ivit_gating *gating;
  struct ivit_norm *mlp_norm; /* of gated values, which then have 16 bits; may be null */
  struct ivit_linear *fc2;
  struct ivit_adder residual2;
};

enum ivit_step_kind {
  IVIT_EMBED,      /* ViT: leading tokens, patches, positions */
  IVIT_PATCH_NORM, /* Swin: patches and their norm */
  IVIT_BLOCK,
  IVIT_MERGE,
  IVIT_NORM,       /* tokens, to where they were */
  IVIT_NORM_CODES, /* 8-bit codes of the tokens that a sum is of, to where contexts were */
  IVIT_MEAN,       /* of tokens, to where the first was */
  IVIT_HEAD,       /* of one token */
  IVIT_POOL_HEAD,  /* of the mean of codes; without a layer, their sum */
  IVIT_FIRST_TOKEN /* as the answer */
};

/*
 * How much of a step a call does. All of it runs row by row, without regard to other rows; its
 * phases can also be split over heads, or over panels of columns, which is for few rows and many
 * threads. Each phase needs all of the one before it.
 */
enum ivit_phase {
  IVIT_WHOLE,    /* any step; a mean or a head may be split over panels of what it answers */
  IVIT_ATTEND,   /* attention of a block, by heads */
  IVIT_FINISH,   /* all that follows it, by rows alone: in place of the next four */
  IVIT_PROJECT,  /* projection and residual, by panels */
  IVIT_EXPAND,   /* norm, first layer of the MLP, GELU or gating, by panels */
  IVIT_CONTRACT, /* second layer and residual, by panels */
  IVIT_BEGIN     /* what the next block does before its attention, by panels */
};

/* Rows from to to - 1 of a phase; of each heads, or panels, first to end - 1. */
struct ivit_part {
  enum ivit_phase phase;
  int from;
  int to;
  int first;
  int end;
};

/*
 * A step runs over rows that do not depend on each other: any split over threads gives the same
 * result, but no row of a step may begin before every row of the step before has ended. After a
 * step that leaves tokens behind comes, row by row, what block `next` does before its attention.
 */
struct ivit_step {
  enum ivit_step_kind kind;
  int rows;
  struct ivit_block *block; /* of IVIT_BLOCK */
  struct ivit_block *next;  /* may be null */
  struct ivit_linear *linear; /* patch embedding, reduction or head */
  struct ivit_norm *norm;     /* of patches, merged neighbours, tokens or the end */
  struct ivit_adder adder;    /* of IVIT_EMBED */
  int leading;                 /* tokens before the patches: constants, or not in the mean */
  int16_t *leading_codes;      /* [leading][dim] */
  int16_t *positions;         /* of IVIT_EMBED: [patches][dim] */
  int width;                  /* of IVIT_MERGE: of the finer grid */
  int dim;                    /* of IVIT_MERGE: channels there; else of the step's tokens */
  int tokens_out;             /* which token buffer it writes or, at the end, reads */
  int token;                  /* of IVIT_HEAD: which one is classified */
  int tokens;                 /* of IVIT_MEAN, with leading ones, and IVIT_POOL_HEAD, without */
  int32_t pool_multiplier;
  int pool_shift;
  int add;                    /* of IVIT_HEAD and IVIT_POOL_HEAD: to the logits of one before */
};

struct ivit_model {
  struct ivit_arena *arena;
  const struct ivit_kernels *kernels;
  int height; /* of a picture */
  int width;
  int patch;
  int classes;
  int steps;
  int step_capacity;
  struct ivit_step *step;
  /* Largest sizes over all steps, for the buffers. */
  size_t most_tokens;   /* elements of a token buffer */
  size_t most_qkv;      /* bytes */
  size_t most_context;  /* bytes */
  size_t most_expanded; /* bytes */
  int most_inputs;      /* of any product or norm */
  int most_outliers;
  size_t most_decoded;  /* bytes of a panel of weights that are kept as indices */
  int most_dim;
  int most_hidden;
  int most_gated;       /* channels of a gated MLP */
  int most_group;       /* tokens */
  int most_head_dim;
  int blocks;
};

/* What one picture needs; several threads may work on its rows. */
struct ivit_picture {
  struct ivit_arena *arena;
  int8_t *codes;      /* [3][height][width] */
  int16_t *tokens[2];
  uint8_t *qkv[2];    /* offset codes, [places][stride of 3 dim] */
  uint8_t *context;   /* offset codes, [places][stride of dim] */
  uint8_t *expanded;  /* between the layers of an MLP in phases, [rows][ivit_expanded_stride] */
  int32_t *logits;
};

/* What one thread needs. */
struct ivit_scratch {
  struct ivit_arena *arena;
  size_t input_stride;
  uint8_t *input;   /* [IVIT_CHUNK + tile][most_inputs] */
  int16_t *wide;    /* [most_inputs] */
  int32_t *pool;    /* [most_inputs] */
  uint8_t *hidden;  /* [IVIT_CHUNK + tile][most_hidden] */
  uint8_t *gate_codes; /* of a tile, [tile][stride of most_gated] */
  uint8_t *value_codes;
  int16_t *gated;  /* 16-bit codes, [IVIT_CHUNK][ivit_expanded_stride of most_gated] */
  size_t high_stride;
  uint8_t *high;    /* outlier channels, [IVIT_CHUNK + tile][most_outliers] */
  uint8_t *arranged; /* rows as tiles read them, where that is another form */
  uint8_t *arranged_high;
  int8_t *decoded[2]; /* a panel of weights, of a gated MLP two */
  struct ivit_operand keys;
  struct ivit_operand values;
  size_t score_stride;
  uint8_t *scores;        /* [tile][score_stride] */
  uint8_t *probabilities; /* [tile][2][score_stride] */
  int32_t factors[IVIT_TILE_ROWS]; /* of the context's rows */
  uint8_t *codes_out[IVIT_CHUNK];
  int16_t *tokens_out[IVIT_CHUNK];
  int16_t *gated_out[IVIT_CHUNK];
};

/*
 * Rows of the tiles of at most `most` that `rows` are cut into: as few tiles as there must be, all
 * nearly as high.
 */
static inline int ivit_tile_height(int most, int rows) {
  int tiles = (rows + most - 1) / most;
  return tiles == 0 ? most : (rows + tiles - 1) / tiles;
}

/* Bytes from one arranged row of n codes to the next. */
static inline size_t ivit_arranged_stride(const struct ivit_kernels *k, int n) {
  return ivit_stride((size_t)k->planes * ivit_round_up((size_t)n, IVIT_ALIGN));
}

/* Panels, or heads, from to to - 1. */
struct ivit_span {
  int from;
  int to;
};

/* Bytes that a panel of a layer takes once decoded; 0 where its weights are codes. */
static inline size_t ivit_decoded_size(const struct ivit_linear *l) {
  const struct ivit_matrix *m = &l->operand.main;
  return m->decoding == NULL ? 0 : m->panel_size;
}

static inline struct ivit_span ivit_panels_of(const struct ivit_linear *l) {
  struct ivit_span all = {0, l->operand.main.panels};
  return all;
}

static inline struct ivit_span ivit_heads_of(const struct ivit_attention *a) {
  struct ivit_span all = {0, a->heads};
  return all;
}

/* Bytes from one row between the layers of an MLP to the next. */
static inline size_t ivit_expanded_stride(const struct ivit_block *block) {
  size_t code = block->mlp_norm == NULL ? sizeof(uint8_t) : sizeof(int16_t);
  return ivit_stride((size_t)block->hidden * code);
}

/* Some panels of linear layers over at most IVIT_CHUNK rows; out has a pointer a row. */
void ivit_linear_to8(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_gelu *gelu, struct ivit_scratch *s,
    uint8_t *const *out);
/* Queries, keys and values of rows, which are these tokens, turned. */
void ivit_linear_turn8(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_rotation *rotation,
    const int *tokens, struct ivit_scratch *s, uint8_t *const *out);
/* Two layers of the same inputs, one the gate of the other: to stored, or to 16-bit codes. */
void ivit_linear_gate8(
    const struct ivit_kernels *k, const struct ivit_linear *gate, const struct ivit_linear *value,
    struct ivit_span panels, const uint8_t *x, size_t ldx, int rows,
    const struct ivit_gating *gating, struct ivit_scratch *s, uint8_t *const *out);
void ivit_linear_gate16(
    const struct ivit_kernels *k, const struct ivit_linear *gate, const struct ivit_linear *value,
    struct ivit_span panels, const uint8_t *x, size_t ldx, int rows,
    const struct ivit_gating *gating, struct ivit_scratch *s, int16_t *const *out);
void ivit_linear_add16(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, size_t ldx, int rows, const struct ivit_adder *adder, struct ivit_scratch *s,
    const int16_t *const *identity, int16_t *const *out);
/* One row; logits are added to those of another head where `add`. */
void ivit_linear_logits(
    const struct ivit_kernels *k, const struct ivit_linear *l, struct ivit_span panels,
    const uint8_t *x, struct ivit_scratch *s, int add, int32_t *out);

/* Attention of the queries at places from to to - 1. */
void ivit_attention_rows(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span heads,
    const struct ivit_picture *picture, struct ivit_scratch *s, int from, int to);

/* What a block does before its attention, for picture rows [n] or, if null, from first on. */
void ivit_block_begin(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, const int *rows, int first, int n);

/* What follows attention for places from to to - 1, and the beginning of `next`, if not null. */
void ivit_block_finish(
    const struct ivit_kernels *k, const struct ivit_block *block, const struct ivit_block *next,
    struct ivit_picture *picture, struct ivit_scratch *s, int from, int to);

/* Phases: some panels for at most IVIT_CHUNK places, or picture rows, from first on. */
void ivit_block_project(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, int first, int n);
void ivit_block_expand(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, int first, int n);
void ivit_block_contract(
    const struct ivit_kernels *k, const struct ivit_block *block, struct ivit_span panels,
    struct ivit_picture *picture, struct ivit_scratch *s, int first, int n);

struct ivit_model *ivit_model_new(
    const struct ivit_kernels *kernels, int height, int width, int patch);
/* A new step at the end, or null. */
struct ivit_step *ivit_model_add_step(
    struct ivit_model *m, enum ivit_step_kind kind, int rows, int dim);
void ivit_model_free(struct ivit_model *m);

struct ivit_picture *ivit_picture_new(const struct ivit_model *m);
void ivit_picture_free(struct ivit_picture *p);
struct ivit_scratch *ivit_scratch_new(const struct ivit_model *m);
void ivit_scratch_free(struct ivit_scratch *s);

/* Some rows, and heads or panels, of a step. */
void ivit_model_run(
    const struct ivit_model *m, int step, const struct ivit_part *part,
    struct ivit_picture *picture, struct ivit_scratch *s);

#endif
