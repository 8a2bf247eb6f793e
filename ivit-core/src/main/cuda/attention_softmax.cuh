/*
 * Rows of Shiftmax of 16 queries in a warp: what a lane knows of its two rows, their exponentials and
 * probabilities.
 */
#pragma once

#include "attention_memory.cuh"

namespace ivit {

/*
 * What meets the values: 16-bit probabilities as two bytes, 8-bit ones, or the exponentials, whose
 * sum is divided out of the product.
 */
enum class Probabilities { WIDE, NARROW, DEFERRED };

/* Which keys a warp takes: of every 32 times `parts`, the 32 that `part` counts. */
struct KeyShare {
  int part;
  int parts;
};

/* The two rows of a 16-row fragment that a lane has a share in, and what it knows of them. */
struct Rows {
  int query[2]; /* in the group; those beyond the last repeat it */
  int32_t largest[2]; /* score, saturated */
  uint32_t factor[2];
};

/*
 * Scores of 32 keys as a left operand has them: word k is of row k & 1, keys 4 (lane % 4) and the next
 * three of the first or the second 16. A byte is 127 - score, so that it grows as exponentials fall.
 */
using ScoreBytes = Bytes16;

/* The first of the four keys of word k. */
IVIT_DEVICE int key_of_word(int key, int k) {
  return key + (k >> 1) * 16 + (int)threadIdx.x % 4 * 4;
}

/* Where a lane has its bytes of 32 keys, in its warp's scores. */
IVIT_DEVICE Shared<ScoreBytes> scores_at(Shared<unsigned char> scores, int key) {
  return as<ScoreBytes>(scores + (key * QUERIES + (int)threadIdx.x % WARP * 16));
}

IVIT_DEVICE int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

/* The largest of the four lanes that share a row. */
IVIT_DEVICE int32_t largest_of_lanes(int32_t v) {
  for (int lanes = 1; lanes < 4; lanes *= 2) {
    v = larger(v, (int32_t)shuffle_xor((uint32_t)v, lanes));
  }
  return v;
}

IVIT_DEVICE uint32_t sum_of_lanes(uint32_t v) {
  for (int lanes = 1; lanes < 4; lanes *= 2) {
    v += shuffle_xor(v, lanes);
  }
  return v;
}

/*
 * The factors of rows by their sums, which are at least E[0] of the largest score, so not 0. Two
 * lanes that share the rows take one each.
 */
IVIT_DEVICE void set_factors(Rows &rows, const uint32_t (&sum)[2]) {
  bool second = (threadIdx.x & 1) != 0;
  uint32_t mine = divide_most(second ? sum[1] : sum[0]);
  uint32_t other = shuffle_xor(mine, 1);
  rows.factor[0] = second ? other : mine;
  rows.factor[1] = second ? mine : other;
}

/* Over the warps that split the keys of 16 queries; `words` has one for each query of each warp. */
template <typename Operation>
IVIT_DEVICE void over_warps(
    Shared<uint32_t> words, const KeyShare &share, uint32_t (&v)[2], Operation operation) {
  int lane = (int)threadIdx.x % WARP;
  if (lane % 4 == 0) {
    words[share.part * QUERIES + lane / 4] = v[0];
    words[share.part * QUERIES + lane / 4 + 8] = v[1];
  }
  block_barrier();
  v[0] = words[lane / 4];
  v[1] = words[lane / 4 + 8];
#pragma unroll 1
  for (int part = 1; part < share.parts; part++) {
    v[0] = operation(v[0], words[part * QUERIES + lane / 4]);
    v[1] = operation(v[1], words[part * QUERIES + lane / 4 + 8]);
  }
}

/* A bit a masked key, of both rows of a lane. */
struct Masks {
  bool any;
  Global<const uint32_t> row[2];

  /* Of the four keys of word k. */
  IVIT_DEVICE uint32_t word(int key, int k) const {
    int bit = (k >> 1) * 16 + (int)threadIdx.x % 4 * 4;
    return any ? row[k & 1][key / KEYS] >> bit & 15u : 0u;
  }
};

template <Windows WINDOWS>
IVIT_DEVICE Masks masks_of(const AttentionArguments &a, const Head &head, const Rows &rows) {
  Masks masks = {in_windows<WINDOWS>(a) && present(a.masks), {a.masks, a.masks}};
  if (masks.any) {
    int window = head.group - (int)divide((uint32_t)head.group, a.window_divisor) * a.windows;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      masks.row[half] = a.masks + (window * a.tokens + rows.query[half]) * a.mask_words;
    }
  }
  return masks;
}

IVIT_DEVICE uint32_t byte_of(uint32_t word, int k) { return permute(word, 0, 0x4440u + k); }

/* Where a lane looks up the exponentials of its rows. */
struct Exponentials {
  Shared<const unsigned char> masked;
  Shared<const unsigned char> first[2]; /* of the byte 0, which may lie before the table */
  int step;                             /* from one byte to the next */

  IVIT_DEVICE Exponentials(
      const AttentionArguments &a, Shared<const unsigned char> memory, const Rows &rows)
      : step(16 << a.copy_bits) {
    auto copy = memory + ((int)threadIdx.x % WARP * 4 & (step - 1));
    masked = copy + 256 * step;
    first[0] = copy + (rows.largest[0] - 127) * step;
    first[1] = copy + (rows.largest[1] - 127) * step;
  }

  /* Of the four scores of word k; masked keys have a bit. */
  IVIT_DEVICE void of(uint32_t bytes, int k, uint32_t masked_keys, uint32_t (&out)[4]) const {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      auto at = first[k & 1] + (int)byte_of(bytes, i) * step;
      out[i] = *as<const uint32_t>((masked_keys >> i & 1u) != 0 ? masked : at);
    }
  }
};

/* Bytes of a word of which a key exists. */
IVIT_DEVICE uint32_t existing(int key, int tokens) {
  int left = tokens - key;
  return left >= 4 ? 0xffffffffu : left <= 0 ? 0u : (1u << (8 * left)) - 1u;
}

/* Adds the exponentials of the keys of a share. */
template <Windows WINDOWS>
IVIT_DEVICE void sum_rows(
    const AttentionArguments &a, const Exponentials &table, const Masks &masks,
    Shared<unsigned char> scores, const KeyShare &share, uint32_t (&sum)[2]) {
  auto from = scores_at(scores, share.part * KEYS);
#pragma unroll 1
  for (int key = share.part * KEYS; key < a.tokens; key += share.parts * KEYS) {
    ScoreBytes bytes = *from;
    from = from + share.parts * WARP;
    uint32_t e[4][4];
#pragma unroll
    for (int k = 0; k < 4; k++) {
      table.of(bytes.r[k], k, WINDOWS == Windows::NEVER ? 0 : masks.word(key, k), e[k]);
    }
    if (key + KEYS > a.tokens) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          e[k][i] = key_of_word(key, k) + i < a.tokens ? e[k][i] : 0;
        }
      }
    }
#pragma unroll
    for (int k = 0; k < 4; k++) {
      sum[k & 1] += e[k][0] + e[k][1] + e[k][2] + e[k][3];
    }
  }
}

/*
 * Four probabilities of exponentials, as their lower and upper bytes. Those of 16 and of 8 bits are the
 * upper bits of a word. One that rounding made a whole is left too large by one.
 */
template <Probabilities KIND>
IVIT_DEVICE void probabilities(
    const AttentionArguments &a, uint32_t factor, uint32_t (&e)[4], uint32_t &low,
    uint32_t &high) {
  if constexpr (KIND == Probabilities::DEFERRED) {
    low = permute(permute(e[0], e[1], 0x0040), permute(e[2], e[3], 0x0040), 0x5410);
    high = 0;
  } else {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      e[k] = e[k] * factor + a.rounding;
    }
    uint32_t first = permute(e[0], e[1], 0x7362);
    uint32_t second = permute(e[2], e[3], 0x7362);
    uint32_t upper = permute(first, second, 0x7632);
    low = KIND == Probabilities::WIDE ? permute(first, second, 0x5410) : upper;
    high = KIND == Probabilities::WIDE ? upper : 0;
  }
}

/* Probabilities of 16 queries and 32 keys, of which the bytes with a sign are too large by one. */
template <Probabilities KIND>
IVIT_DEVICE void limit_probabilities(Left &lower, Left &upper) {
  if constexpr (KIND != Probabilities::DEFERRED) {
    Left &signs = KIND == Probabilities::WIDE ? upper : lower;
    if (((signs.r[0] | signs.r[1] | signs.r[2] | signs.r[3]) & 0x80808080u) != 0) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        uint32_t ones = signs.r[k] >> 7 & 0x01010101u;
        signs.r[k] -= ones;
        if (KIND == Probabilities::WIDE) {
          lower.r[k] |= ones * 255u;
        }
      }
    }
  }
}

}  // namespace ivit
