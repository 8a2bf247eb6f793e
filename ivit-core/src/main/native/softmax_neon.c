/*
 * Shiftmax of a row on NEON, 16 scores at a time: exponentials of 16 bits are looked up byte by
 * byte; tables whose entries do not fit 16 bits (form shift) are read from memory. Probabilities
 * are written in one of two forms, see neon.h.
 */
#include "lanes_neon.h"
#include "neon.h"
#include "window.h"

/* A row's scores and which of them count. */
struct row {
  const int8_t *scores;
  int n;
  const uint64_t *mask;
  const struct ivit_softmax *softmax;
  int largest;
};

/* Where probabilities go, and in which form. */
struct form {
  uint8_t *out;
  size_t plane;
  int words;
};

/* Sixteen numbers of 16 bits. */
struct sixteen {
  uint16x8_t first, second;
};

static inline struct sixteen unpack(uint8x16_t low, uint8x16_t high) {
  struct sixteen w = {
      vreinterpretq_u16_u8(vzip1q_u8(low, high)), vreinterpretq_u16_u8(vzip2q_u8(low, high))};
  return w;
}

/* `offset` is what lower bytes in a plane are stored less. */
static inline __attribute__((always_inline)) void store(
    const struct form *form, int i, struct sixteen w, uint8_t offset) {
  if (form->words) {
    uint16_t *to = (uint16_t *)(void *)form->out + i;
    vst1q_u16(to, w.first);
    vst1q_u16(to + 8, w.second);
  } else {
    uint8x16_t a = vreinterpretq_u8_u16(w.first), b = vreinterpretq_u8_u16(w.second);
    vst1q_u8(form->out + i, vsubq_u8(vuzp1q_u8(a, b), vdupq_n_u8(offset)));
    vst1q_u8(form->out + form->plane + i, vuzp2q_u8(a, b));
  }
}

static inline __attribute__((always_inline)) struct sixteen load(const struct form *form, int i) {
  if (form->words) {
    const uint16_t *from = (const uint16_t *)(const void *)form->out + i;
    struct sixteen w = {vld1q_u16(from), vld1q_u16(from + 8)};
    return w;
  }
  return unpack(vld1q_u8(form->out + i), vld1q_u8(form->out + form->plane + i));
}

/* All ones in the bytes of scores i to i + 15 that are beyond n. */
static inline uint8x16_t absent(int i, int n) {
  static const uint8_t lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return vcgeq_u8(vld1q_u8(lanes), vdupq_n_u8((uint8_t)(n - i < 16 ? n - i : 16)));
}

static inline uint8x16_t hidden(const uint64_t *mask, int i) {
  return mask == NULL ? vdupq_n_u8(0)
                      : ivit_bytes_of_bits_neon((uint32_t)(mask[i / 64] >> i % 64));
}

static inline int largest_of(const int8_t *scores, int n, const uint64_t *mask) {
  const int8x16_t least = vdupq_n_s8(INT8_MIN);
  int8x16_t largest = least;
  for (int i = 0; i < n; i += 16) {
    uint8x16_t out = vorrq_u8(absent(i, n), hidden(mask, i));
    largest = vmaxq_s8(largest, vbslq_s8(out, least, vld1q_s8(scores + i)));
  }
  return vmaxvq_s8(largest);
}

/* How far scores are below the largest. */
static inline uint8x16_t distances(const struct row *row, int i) {
  uint8x16_t scores = vreinterpretq_u8_s8(vld1q_s8(row->scores + i));
  return vsubq_u8(vdupq_n_u8((uint8_t)row->largest), scores);
}

/* One byte of exponentials, zero where there is no score. */
static inline uint8x16_t exponential_bytes(
    const struct ivit_table_neon *table, uint8_t masked, uint8x16_t distance, uint8x16_t hide,
    uint8x16_t out) {
  uint8x16_t e = ivit_look_up_neon(table, distance);
  return vbicq_u8(vbslq_u8(hide, vdupq_n_u8(masked), e), out);
}

/* Exponentials of 8 bits, which are the probabilities. */
static inline __attribute__((always_inline)) int32_t deferred(
    const struct row *row, const struct form *form) {
  struct ivit_table_neon low = ivit_table_neon_load(row->softmax->low);
  uint32x4_t sums = vdupq_n_u32(0);
  for (int i = 0; i < row->n; i += 16) {
    uint8x16_t e = exponential_bytes(
        &low, (uint8_t)row->softmax->exponentials[256], distances(row, i), hidden(row->mask, i),
        absent(i, row->n));
    sums = vpadalq_u16(sums, vpaddlq_u8(e));
    store(form, i, unpack(e, vdupq_n_u8(0)), 128);
  }
  return (int32_t)(INT32_MAX / vaddvq_u32(sums));
}

/* (product + rounding) >> (32 - bits), no more than the limit. */
struct rounding {
  uint32x4_t half, limit;
  int32x4_t down;
};

static inline struct rounding rounding_of(const struct ivit_softmax *softmax) {
  struct rounding r = {
      vdupq_n_u32(softmax->rounding), vdupq_n_u32((1u << (softmax->bits - 1)) - 1),
      vdupq_n_s32(softmax->bits - 32)};
  return r;
}

static inline uint16x4_t rounded(uint32x4_t product, const struct rounding *r) {
  return vmovn_u32(vminq_u32(vshlq_u32(vaddq_u32(product, r->half), r->down), r->limit));
}

static inline uint16x8_t probabilities(uint16x8_t e, uint16x4_t factor, const struct rounding *r) {
  return vcombine_u16(
      rounded(vmull_u16(vget_low_u16(e), factor), r),
      rounded(vmull_u16(vget_high_u16(e), factor), r));
}

/* The exponentials wait where the probabilities will be that they become. */
static inline __attribute__((always_inline)) int32_t narrow(
    const struct row *row, const struct form *form) {
  struct ivit_table_neon low = ivit_table_neon_load(row->softmax->low);
  struct ivit_table_neon high = ivit_table_neon_load(row->softmax->high);
  uint32_t masked = row->softmax->exponentials[256];
  uint32x4_t sums = vdupq_n_u32(0);
  for (int i = 0; i < row->n; i += 16) {
    uint8x16_t distance = distances(row, i), hide = hidden(row->mask, i);
    uint8x16_t out = absent(i, row->n);
    struct sixteen e = unpack(
        exponential_bytes(&low, (uint8_t)masked, distance, hide, out),
        exponential_bytes(&high, (uint8_t)(masked >> 8), distance, hide, out));
    store(form, i, e, 0);
    sums = vpadalq_u16(vpadalq_u16(sums, e.first), e.second);
  }
  uint32_t quotient = INT32_MAX / vaddvq_u32(sums);
  uint16x4_t factor = vdup_n_u16((uint16_t)quotient);
  struct rounding rounding = rounding_of(row->softmax);
  for (int i = 0; i < row->n; i += 16) {
    struct sixteen e = load(form, i);
    e.first = probabilities(e.first, factor, &rounding);
    e.second = probabilities(e.second, factor, &rounding);
    store(form, i, e, 128);
  }
  return (int32_t)quotient;
}

/* Exponentials i to i + 15 from memory. */
static inline void wide_exponentials(const struct row *row, int i, uint32_t *e) {
  for (int j = 0; j < 16; j++) {
    int at = i + j;
    int hide = row->mask != NULL && (row->mask[at / 64] >> at % 64 & 1);
    e[j] = 0;
    if (at < row->n) {
      e[j] = row->softmax->exponentials[hide ? 256 : row->largest - row->scores[at]];
    }
  }
}

static inline __attribute__((always_inline)) int32_t wide(
    const struct row *row, const struct form *form) {
  uint32_t e[16];
  uint32_t sum = 0;
  for (int i = 0; i < row->n; i += 16) {
    wide_exponentials(row, i, e);
    for (int j = 0; j < 16; j++) {
      sum += e[j];
    }
  }
  uint32_t quotient = INT32_MAX / sum;
  uint32x4_t factor = vdupq_n_u32(quotient);
  struct rounding rounding = rounding_of(row->softmax);
  for (int i = 0; i < row->n; i += 16) {
    wide_exponentials(row, i, e);
    uint16x4_t p[4];
    for (int j = 0; j < 4; j++) {
      p[j] = rounded(vmulq_u32(vld1q_u32(e + 4 * j), factor), &rounding);
    }
    struct sixteen w = {vcombine_u16(p[0], p[1]), vcombine_u16(p[2], p[3])};
    store(form, i, w, 128);
  }
  return (int32_t)quotient;
}

static inline __attribute__((always_inline)) int32_t softmax_of(
    const uint8_t *stored, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    const struct form *form) {
  const struct sixteen zeros = {vdupq_n_u16(0), vdupq_n_u16(0)};
  for (int i = n / 16 * 16; i < (int)ivit_round_up((size_t)n, 64); i += 16) {
    store(form, i, zeros, 128);
  }
  const int8_t *scores = (const int8_t *)stored;
  struct row row = {scores, n, mask, softmax, largest_of(scores, n, mask)};
  return softmax->deferred ? deferred(&row, form)
      : softmax->narrow    ? narrow(&row, form)
                           : wide(&row, form);
}

int32_t ivit_softmax_words_neon(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane) {
  const struct form form = {out, plane, 1};
  return softmax_of(scores, n, mask, softmax, &form);
}

int32_t ivit_softmax_planes_neon(
    const uint8_t *scores, int n, const uint64_t *mask, const struct ivit_softmax *softmax,
    uint8_t *out, size_t plane) {
  const struct form form = {out, plane, 0};
  return softmax_of(scores, n, mask, softmax, &form);
}

static void wide_bias(int8_t *scores, const struct ivit_window *window, const int32_t *bias) {
  for (int i = 0; i < window->tokens; i++) {
    int32_t sum = window->score[(uint8_t)scores[i]] + bias[i];
    scores[i] = (int8_t)(sum < -128 ? -128 : sum > 127 ? 127 : sum);
  }
}

static void narrow_bias(uint8_t *scores, const struct ivit_window *window, const int16_t *bias) {
  struct ivit_table_neon low = ivit_table_neon_load(window->score_low);
  struct ivit_table_neon high = ivit_table_neon_load(window->score_high);
  for (int i = 0; i < window->tokens; i += 16) {
    uint8x16_t codes = vld1q_u8(scores + i);
    struct sixteen w = unpack(ivit_look_up_neon(&low, codes), ivit_look_up_neon(&high, codes));
    int16x8_t a = vaddq_s16(vreinterpretq_s16_u16(w.first), vld1q_s16(bias + i));
    int16x8_t b = vaddq_s16(vreinterpretq_s16_u16(w.second), vld1q_s16(bias + i + 8));
    vst1q_u8(scores + i, vreinterpretq_u8_s8(vqmovn_high_s16(vqmovn_s16(a), b)));
  }
}

void ivit_bias_neon(uint8_t *scores, const struct ivit_window *window, int head, int query) {
  size_t at = ivit_bias_at(window, head, query);
  uint8_t first = scores[0];
  if (window->narrow) {
    narrow_bias(scores, window, window->bias16 + at);
  } else {
    wide_bias((int8_t *)scores, window, window->bias + at);
  }
  if (window->leading) {
    scores[0] = ivit_biased_leading(window, head, query, first, 0);
  }
}

void ivit_normalise_neon(int32_t *acc, int rows, const int32_t *factor) {
  for (int r = 0; r < rows; r++) {
    int32x2_t f = vdup_n_s32(factor[r]);
    for (int c = 0; c < IVIT_COLUMNS; c += 4) {
      int32_t *at = acc + r * IVIT_COLUMNS + c;
      int32x4_t z = vld1q_s32(at);
      int32x2_t low = vrshrn_n_s64(vmull_s32(vget_low_s32(z), f), 16);
      int32x2_t high = vrshrn_n_s64(vmull_s32(vget_high_s32(z), f), 16);
      vst1q_s32(at, vcombine_s32(low, high));
    }
  }
}
