/*
 * Attention of one head of one group of tokens (a picture or a window) a block: scores, relative
 * bias and mask, Shiftmax, context. A warp takes 16 queries at a time; scores stay in its part of
 * shared memory. There lie keys and values too: all of them, or, of long rows, as many as a span
 * has, the keys of one span after the other and then the values.
 */
#pragma once

#include "divide.cuh"
#include "requantize.cuh"

namespace ivit {

struct AttentionArguments {
  Global<const int8_t> qkv;            /* [groups * tokens][3][heads][padded_dim] */
  Global<int8_t> context;              /* [groups * queries][context_stride] */
  Global<const int32_t> place;         /* of each context channel in its row; null for in order */
  Global<const Bytes16> channels;      /* Channel, [heads][padded_dim] */
  Global<const uint32_t> exponentials; /* [257] */
  Global<const int32_t> score_terms;   /* requantized scores by offset code, [256]; null outside of
                                          windows */
  Global<const int32_t> biases;        /* requantized, [heads][query][key] */
  Global<const uint32_t> masks; /* a bit a masked key, [windows][query][mask_words]; or null */
  Dyadic scores;
  Divisor window_divisor;
  int32_t windows; /* of a picture */
  int32_t tokens;  /* of a group */
  int32_t queries; /* of a group that are asked for: the first ones */
  int32_t heads;
  int32_t head_dim;
  int32_t padded_dim; /* a multiple of 32 */
  int32_t context_stride;
  int32_t mask_words;
  uint32_t rounding;
  int32_t bits;
  int32_t wide;
  int32_t span; /* tokens whose keys and values lie in shared memory: all, or a multiple of 32 */
};

/*
 * What meets the values: 16-bit probabilities as two bytes, 8-bit ones, or the exponentials, whose
 * sum is divided out of the product.
 */
enum class Probabilities { WIDE, NARROW, DEFERRED };

/*
 * Shared memory of a block, in bytes from its beginning. AttentionGrid in Java sums in the same way.
 * Keys and values of spans take each other's place.
 */
struct AttentionLayout {
  int key_stride;
  int value_stride;
  int score_stride;
  int terms;
  int keys;
  int values;
  int scores;
};

IVIT_DEVICE AttentionLayout attention_layout(const AttentionArguments &a) {
  AttentionLayout l;
  bool whole = a.span >= a.tokens;
  int padded_tokens = (a.tokens + 31) & ~31;
  int padded_span = whole ? padded_tokens : a.span;
  int keys = whole ? (a.tokens + 15) & ~15 : a.span;
  /* 16 bytes more a row: eight rows of one chunk then lie in different banks. */
  l.key_stride = a.padded_dim + 16;
  l.value_stride = padded_span + 16;
  l.score_stride = padded_tokens + 16;
  l.terms = 1040;
  l.keys = l.terms + (present(a.score_terms) ? 1024 : 0);
  int key_bytes = keys * l.key_stride;
  int value_bytes = a.padded_dim * l.value_stride;
  l.values = whole ? l.keys + key_bytes : l.keys;
  l.scores = l.values + (whole || value_bytes > key_bytes ? value_bytes : key_bytes);
  return l;
}

/* One head of one group. */
struct Head {
  int number;
  int group;
  int64_t row; /* of the group's first token */
  int stride;  /* bytes of a row */

  IVIT_DEVICE int64_t at(const AttentionArguments &a, int part, int token) const {
    return (row + token) * stride + (part * a.heads + number) * a.padded_dim;
  }
};

/* Tokens whose keys and values lie in shared memory. */
struct Span {
  int first;
  int end;

  IVIT_DEVICE int count() const { return end - first; }
};

IVIT_DEVICE Span span_from(const AttentionArguments &a, int first) {
  return Span{first, a.span < a.tokens - first ? first + a.span : a.tokens};
}

IVIT_DEVICE void load_keys(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head, const Span &span,
    Shared<unsigned char> memory) {
  int rows = (span.count() + 15) & ~15;
#pragma unroll 1
  for (int row = (int)threadIdx.x / 4; row < rows; row += (int)blockDim.x / 4) {
#pragma unroll 1
    for (int c = (int)threadIdx.x % 4 * 16; c < a.padded_dim; c += 64) {
      bool valid = row < span.count();
      copy16(
          memory + (l.keys + row * l.key_stride + c),
          a.qkv + (head.at(a, 1, span.first + (valid ? row : 0)) + c), valid);
    }
  }
  copies_commit();
}

/* Four rows of four bytes to four columns. */
IVIT_DEVICE void transpose(const uint32_t (&in)[4], uint32_t (&out)[4]) {
  uint32_t a = permute(in[0], in[1], 0x5140);
  uint32_t b = permute(in[2], in[3], 0x5140);
  uint32_t c = permute(in[0], in[1], 0x7362);
  uint32_t d = permute(in[2], in[3], 0x7362);
  out[0] = permute(a, b, 0x5410);
  out[1] = permute(a, b, 0x7632);
  out[2] = permute(c, d, 0x5410);
  out[3] = permute(c, d, 0x7632);
}

/* Values lie by channel, because a right operand is read along K, which is tokens here. */
IVIT_DEVICE void load_values(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head, const Span &span,
    Shared<unsigned char> memory) {
  int lane = (int)threadIdx.x % WARP;
#pragma unroll 1
  for (int t = (int)threadIdx.x / WARP * 32; t < span.count(); t += (int)blockDim.x) {
    int token = t + lane % 8 * 4;
#pragma unroll 1
    for (int c = lane / 8 * 4; c < a.padded_dim; c += 16) {
      uint32_t in[4];
      uint32_t out[4];
#pragma unroll
      for (int k = 0; k < 4; k++) {
        in[k] = token + k < span.count()
            ? *as<const uint32_t>(a.qkv + (head.at(a, 2, span.first + token + k) + c))
            : 0;
      }
      transpose(in, out);
#pragma unroll
      for (int k = 0; k < 4; k++) {
        *as<uint32_t>(memory + (l.values + (c + k) * l.value_stride + token)) = out[k];
      }
    }
  }
}

/* The two rows of a 16-row fragment that a lane has a share in, and what it knows of them. */
struct Rows {
  int query[2]; /* in the group; those beyond the last repeat it */
  uint32_t largest[2]; /* offset code */
  uint32_t factor[2];
};

/* The largest of the four lanes that share a row. */
IVIT_DEVICE int32_t largest_of_lanes(int32_t v) {
  for (int lanes = 1; lanes < 4; lanes *= 2) {
    int32_t other = (int32_t)shuffle_xor((uint32_t)v, lanes);
    v = other > v ? other : v;
  }
  return v;
}

IVIT_DEVICE int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

template <int STEPS>
IVIT_DEVICE void load_queries(
    const AttentionArguments &a, const Head &head, const Rows &rows, Left (&q)[STEPS]) {
  int column = (int)threadIdx.x % 4 * 4;
#pragma unroll
  for (int step = 0; step < STEPS; step++) {
    if (step * K_STEP < a.padded_dim) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        int64_t from = head.at(a, 0, rows.query[k & 1]) + step * K_STEP + (k >> 1) * 16 + column;
        q[step].r[k] = *as<const uint32_t>(a.qkv + from);
      }
    }
  }
}

/* Who looks on while attention is computed: nobody. Training has one who does. */
struct Unobserved {
  /* An accumulator of a score. */
  IVIT_DEVICE void score(int32_t) {}

  /* Two neighbouring score codes of a window, before their biases. */
  IVIT_DEVICE void unbiased(const AttentionArguments &, const Head &, uint32_t, int, int) {}

  /* Four neighbouring probabilities as their lower and upper bytes. */
  IVIT_DEVICE void probabilities(
      const AttentionArguments &, const Head &, int, int, uint32_t, uint32_t) {}

  /* Accumulators of 16 queries and 8 channels; called by whole warps. */
  IVIT_DEVICE void context(
      const AttentionArguments &, const Head &, int, int, const Accumulator &) {}
};

/* Two neighbouring scores of a window with their biases. */
IVIT_DEVICE uint32_t biased(
    const AttentionArguments &a, Shared<const uint32_t> terms, const Head &head, uint32_t codes,
    int query, int key) {
  uint32_t offset = codes ^ 0x8080u;
  auto biases = a.biases + ((int64_t)(head.number * a.tokens + query) * a.tokens + key);
  int32_t first = (int32_t)terms[(int)(offset & 255u)] + (key < a.tokens ? biases[0] : 0);
  int32_t second = (int32_t)terms[(int)(offset >> 8 & 255u)] + (key + 1 < a.tokens ? biases[1] : 0);
  return pack_codes8(first, second, 0);
}

/*
 * Codes of the scores of 16 queries and a span's keys, in [16][score_stride]. Outside of windows,
 * where no bias and no mask comes between, the largest of a row is found on the way.
 */
template <int STEPS, typename Observer>
IVIT_DEVICE void score(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head, const Rows &rows,
    const Left (&q)[STEPS], const Span &span, Shared<unsigned char> memory,
    Shared<unsigned char> scores, int32_t (&largest)[2], Observer &observer) {
  int lane = (int)threadIdx.x % WARP;
  Channel multiplier = channel_of(a.scores);
  bool wide = a.scores.shift < 33;
  bool windows = present(a.score_terms);
#pragma unroll 1
  for (int key = span.first; key < span.end; key += 16) {
    Accumulator acc[2] = {{{0, 0, 0, 0}}, {{0, 0, 0, 0}}};
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
      if (step * K_STEP < a.padded_dim) {
        uint32_t both[4];
        load_matrices(both, [=](int matrix, int r) {
          int row = key - span.first + (matrix >> 1) * 8 + r;
          return memory + (l.keys + row * l.key_stride + step * K_STEP + (matrix & 1) * 16);
        });
        multiply(acc[0], q[step], Right{{both[0], both[1]}});
        multiply(acc[1], q[step], Right{{both[2], both[3]}});
      }
    }
    products_done();
    bool all = key + 16 <= a.tokens;
#pragma unroll
    for (int j = 0; j < 2; j++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int column = key + 8 * j + 2 * (lane & 3);
        int32_t first = requantize(acc[j].r[2 * half], multiplier, wide);
        int32_t second = requantize(acc[j].r[2 * half + 1], multiplier, wide);
        if (all || column < a.tokens) {
          largest[half] = larger(largest[half], first);
          observer.score(acc[j].r[2 * half]);
        }
        if (all || column + 1 < a.tokens) {
          largest[half] = larger(largest[half], second);
          observer.score(acc[j].r[2 * half + 1]);
        }
        uint32_t codes = pack_codes8(first, second, 0);
        if (windows) {
          observer.unbiased(a, head, codes, rows.query[half], column);
          codes = biased(
              a, as<const uint32_t>(memory + l.terms), head, codes, rows.query[half], column);
        }
        *as<uint16_t>(scores + (((lane >> 2) + 8 * half) * l.score_stride + column)) =
            (uint16_t)codes;
      }
    }
  }
}

/* Four neighbouring scores of a row. */
struct FourScores {
  uint32_t codes;  /* offset codes: their order is that of unsigned bytes */
  uint32_t exists; /* a bit each */
  uint32_t masked; /* a bit each */

  IVIT_DEVICE bool plain() const { return exists == 15u && masked == 0; }
};

struct ScoreRow {
  Shared<const uint32_t> codes;
  Global<const uint32_t> masks;
  int tokens;
  bool has_masks;

  IVIT_DEVICE FourScores four(int word) const {
    int left = tokens - 4 * word;
    FourScores f;
    f.codes = codes[word] ^ 0x80808080u;
    f.exists = left >= 4 ? 15u : left <= 0 ? 0u : (1u << left) - 1u;
    f.masked = has_masks && left > 0 ? masks[word >> 3] >> (4 * (word & 7)) & 15u : 0u;
    return f;
  }
};

IVIT_DEVICE ScoreRow score_row(
    const AttentionArguments &a, const AttentionLayout &l, const Rows &rows,
    Shared<unsigned char> scores, int window, int half) {
  int lane = (int)threadIdx.x % WARP;
  ScoreRow row;
  row.codes = as<const uint32_t>(scores + ((lane >> 2) + 8 * half) * l.score_stride);
  row.has_masks = present(a.masks);
  row.masks =
      row.has_masks ? a.masks + (window * a.tokens + rows.query[half]) * a.mask_words : a.masks;
  row.tokens = a.tokens;
  return row;
}

IVIT_DEVICE uint32_t byte_of(uint32_t word, int k) { return word >> (8 * k) & 255u; }

/* The largest score of a window's row, after bias and mask. */
IVIT_DEVICE uint32_t largest_of_row(const ScoreRow &row, int words) {
  int32_t largest = 0;
#pragma unroll 1
  for (int word = (int)threadIdx.x & 3; word < words; word += 4) {
    FourScores f = row.four(word);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      int32_t code = (int32_t)byte_of(f.codes, k);
      largest = (f.exists & ~f.masked) >> k & 1u ? larger(largest, code) : largest;
    }
  }
  return (uint32_t)largest_of_lanes(largest);
}

/* Exponentials of four scores; 0 of those that do not exist. */
IVIT_DEVICE void exponentials(
    Shared<const uint32_t> table, const FourScores &f, uint32_t largest, uint32_t (&e)[4]) {
  if (f.plain()) {
    /* No byte is above the largest, so none borrows from the next. */
    uint32_t distances = largest * 0x01010101u - f.codes;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      e[k] = table[(int)byte_of(distances, k)];
    }
    return;
  }
#pragma unroll
  for (int k = 0; k < 4; k++) {
    int distance = (int)((largest - byte_of(f.codes, k)) & 255u);
    e[k] = f.exists >> k & 1u ? table[f.masked >> k & 1u ? 256 : distance] : 0;
  }
}

/* The four lanes that share a row take every fourth word, as a left operand has them. */
IVIT_DEVICE void softmax_rows(
    const ScoreRow (&row)[2], Shared<const uint32_t> table, bool windows, Rows &rows) {
  int words = (row[0].tokens + 3) / 4;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    if (windows) {
      rows.largest[half] = largest_of_row(row[half], words);
    }
    uint32_t sum = 0;
#pragma unroll 1
    for (int word = (int)threadIdx.x & 3; word < words; word += 4) {
      uint32_t e[4];
      exponentials(table, row[half].four(word), rows.largest[half], e);
      sum += e[0] + e[1] + e[2] + e[3];
    }
    for (int lanes = 1; lanes < 4; lanes *= 2) {
      sum += shuffle_xor(sum, lanes);
    }
    /* At least E[0] of the largest score, so not 0. */
    rows.factor[half] = divide_most(sum);
  }
}

/* Four probabilities as their lower and upper bytes. */
template <Probabilities KIND>
IVIT_DEVICE void probabilities(
    const AttentionArguments &a, const ScoreRow &row, Shared<const uint32_t> table, int word,
    uint32_t largest, uint32_t factor, uint32_t &low, uint32_t &high) {
  uint32_t limit = (1u << (a.bits - 1)) - 1;
  uint32_t p[4];
  exponentials(table, row.four(word), largest, p);
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (KIND != Probabilities::DEFERRED) {
      uint32_t v = (p[k] * factor + a.rounding) >> (32 - a.bits);
      p[k] = v < limit ? v : limit;
    }
  }
  uint32_t first = permute(p[0], p[1], 0x5410);
  uint32_t second = permute(p[2], p[3], 0x5410);
  low = permute(first, second, 0x6420);
  high = permute(first, second, 0x7531);
}

/* What a warp sums of the context: by the lower bytes of probabilities, and by the upper ones. */
template <int TILES>
struct ContextSums {
  Accumulator low[TILES];
  Accumulator high[TILES];

  IVIT_DEVICE void clear() {
#pragma unroll
    for (int j = 0; j < TILES; j++) {
      low[j] = Accumulator{{0, 0, 0, 0}};
      high[j] = Accumulator{{0, 0, 0, 0}};
    }
  }
};

/*
 * Adds what a span's values give to TILES times 8 channels of the context of 16 queries, from channel
 * `first` on. Only where a head has more channels than these may some of them not exist.
 */
template <int TILES, Probabilities KIND, bool WHOLE, typename Observer>
IVIT_DEVICE void context(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head,
    const ScoreRow (&row)[2], const Rows &rows, const Span &span, Shared<unsigned char> memory,
    int first, ContextSums<TILES> &sums, Observer &observer) {
  int lane = (int)threadIdx.x & 3;
  Shared<const uint32_t> table = as<const uint32_t>(memory);
#pragma unroll 1
  for (int token = span.first; token < span.end; token += K_STEP) {
    Left lower;
    Left upper;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      int word = token / 4 + (k >> 1) * 4 + lane;
      probabilities<KIND>(
          a, row[k & 1], table, word, rows.largest[k & 1], rows.factor[k & 1], lower.r[k],
          upper.r[k]);
      if (first == 0) {
        observer.probabilities(a, head, rows.query[k & 1], 4 * word, lower.r[k], upper.r[k]);
      }
    }
#pragma unroll
    for (int j = 0; j < TILES; j += 2) {
      if (!WHOLE && first + 8 * j >= a.padded_dim) {
        break;
      }
      uint32_t both[4];
      load_matrices(both, [=](int matrix, int r) {
        int channel = first + 8 * j + (matrix >> 1) * 8 + r;
        int column = token - span.first + (matrix & 1) * 16;
        return memory + (l.values + channel * l.value_stride + column);
      });
      Right even = {{both[0], both[1]}};
      Right odd = {{both[2], both[3]}};
      multiply_unsigned(sums.low[j], lower, even);
      multiply_unsigned(sums.low[j + 1], lower, odd);
      if (KIND == Probabilities::WIDE) {
        multiply(sums.high[j], upper, even);
        multiply(sums.high[j + 1], upper, odd);
      }
    }
  }
  products_done();
}

/* Both sums together, normalised, in the place of the lower one. */
template <int TILES, Probabilities KIND>
IVIT_DEVICE void finish_context(const Rows &rows, ContextSums<TILES> &sums) {
#pragma unroll
  for (int j = 0; j < TILES; j++) {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      int32_t low = sums.low[j].r[k];
      if (KIND == Probabilities::WIDE) {
        sums.low[j].r[k] = (int32_t)((uint32_t)low + ((uint32_t)sums.high[j].r[k] << 8));
      } else if (KIND == Probabilities::DEFERRED) {
        sums.low[j].r[k] = (int32_t)requantize_wide(low, (int32_t)rows.factor[k >> 1], 16);
      }
    }
  }
}

IVIT_DEVICE void store_context(
    const AttentionArguments &a, const Head &head, uint32_t codes, int64_t row, int channel) {
  auto to = a.context + row * a.context_stride;
  int column = head.number * a.head_dim + channel;
  bool both = channel + 1 < a.head_dim;
  if (!present(a.place) && both && (a.head_dim & 1) == 0) {
    *as<uint16_t>(to + column) = (uint16_t)codes;
    return;
  }
  to[present(a.place) ? a.place[column] : column] = (int8_t)(codes & 255u);
  if (both) {
    to[present(a.place) ? a.place[column + 1] : column + 1] = (int8_t)(codes >> 8 & 255u);
  }
}

template <int TILES, typename Observer>
IVIT_DEVICE void requantize_context(
    const AttentionArguments &a, const Head &head, int query, int first,
    const Accumulator (&acc)[TILES], Observer &observer) {
  int lane = (int)threadIdx.x % WARP;
  bool wide = a.wide != 0;
#pragma unroll
  for (int j = 0; j < TILES; j++) {
    int channel = first + 8 * j + 2 * (lane & 3);
    observer.context(a, head, query, channel, acc[j]);
    if (channel < a.head_dim) {
      Channel c0 = channel_at(a.channels, head.number * a.padded_dim + channel);
      Channel c1 = channel_at(a.channels, head.number * a.padded_dim + channel + 1);
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int row = query + (lane >> 2) + 8 * half;
        if (row < a.queries) {
          uint32_t codes = pack_codes8(
              requantize(acc[j].r[2 * half], c0, wide),
              requantize(acc[j].r[2 * half + 1], c1, wide), 0);
          store_context(a, head, codes, (int64_t)head.group * a.queries + row, channel);
        }
      }
    }
  }
}

template <typename T>
IVIT_DEVICE void load_table(
    Global<const T> from, int length, Shared<unsigned char> memory) {
#pragma unroll 1
  for (int i = (int)threadIdx.x; i < length; i += (int)blockDim.x) {
    as<T>(memory)[i] = from[i];
  }
}

/*
 * Calls `body` with each span of the tokens, after `load` has brought it in the place of what all warps
 * have done with; or once with all of them, which are there.
 */
template <bool SPANS, typename Load, typename Body>
IVIT_DEVICE void for_spans(const AttentionArguments &a, const Load &load, const Body &body) {
  if constexpr (SPANS) {
#pragma unroll 1
    for (int first = 0; first < a.tokens; first += a.span) {
      Span span = span_from(a, first);
      block_barrier();
      load(span);
      copies_done<0>();
      block_barrier();
      body(span);
    }
  } else {
    body(Span{0, a.tokens});
  }
}

/* All queries of a block. Warps that have none left go through spans with the others. */
template <bool SPANS, int STEPS, Probabilities KIND, typename Observer>
IVIT_DEVICE void attend(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head,
    Shared<unsigned char> memory, Observer &observer) {
  const int tiles = STEPS == 1 ? 4 : 8;
  int lane = (int)threadIdx.x % WARP;
  int warps = (int)blockDim.x / WARP;
  int warp = (int)threadIdx.x / WARP;
  int window = head.group - (int)divide((uint32_t)head.group, a.window_divisor) * a.windows;
  Shared<unsigned char> scores = memory + (l.scores + warp * 16 * l.score_stride);
#pragma unroll 1
  for (int round = (int)blockIdx.z * warps; round * 16 < a.queries;
       round += (int)gridDim.z * warps) {
    int tile = round + warp;
    bool busy = tile * 16 < a.queries;
    if (!SPANS && !busy) {
      break;
    }
    Rows rows;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int query = tile * 16 + (lane >> 2) + 8 * half;
      rows.query[half] = query < a.queries ? query : a.queries - 1;
    }
    Left q[STEPS];
    load_queries<STEPS>(a, head, rows, q);
    int32_t largest[2] = {-128, -128};
    for_spans<SPANS>(
        a, [&](const Span &span) { load_keys(a, l, head, span, memory); },
        [&](const Span &span) {
          if (!SPANS || busy) {
            score<STEPS>(a, l, head, rows, q, span, memory, scores, largest, observer);
          }
        });
#pragma unroll
    for (int half = 0; half < 2; half++) {
      rows.largest[half] = (uint32_t)(saturate8(largest_of_lanes(largest[half])) + 128);
    }
    warp_barrier();
    ScoreRow row[2] = {
        score_row(a, l, rows, scores, window, 0), score_row(a, l, rows, scores, window, 1)};
    if (!SPANS || busy) {
      softmax_rows(row, as<const uint32_t>(memory), present(a.score_terms), rows);
    }
    for (int first = 0; first < a.padded_dim; first += 8 * tiles) {
      ContextSums<tiles> sums;
      sums.clear();
      for_spans<SPANS>(
          a, [&](const Span &span) { load_values(a, l, head, span, memory); },
          [&](const Span &span) {
            if (!SPANS || busy) {
              context<tiles, KIND, STEPS <= 2>(
                  a, l, head, row, rows, span, memory, first, sums, observer);
            }
          });
      if (!SPANS || busy) {
        finish_context<tiles, KIND>(rows, sums);
        requantize_context<tiles>(a, head, tile * 16, first, sums.low, observer);
      }
    }
    warp_barrier();
  }
}

/*
 * STEPS times 32 channels a head at most. Blocks: groups, heads, shares of the queries. Shared
 * memory: AttentionLayout and 16 rows of scores a warp. SPANS says whether the span is shorter than
 * a row.
 */
template <int STEPS, Probabilities KIND, bool SPANS, typename Observer>
IVIT_DEVICE void attention(const AttentionArguments &a, Observer &observer) {
  Shared<unsigned char> memory = shared_memory();
  AttentionLayout l = attention_layout(a);
  int group = (int)blockIdx.x;
  Head head = {
      (int)blockIdx.y, group, (int64_t)group * a.tokens, 3 * a.heads * a.padded_dim};
  Span all = {0, a.tokens};
  if (!SPANS) {
    load_keys(a, l, head, all, memory);
  }
  load_table(a.exponentials, 257, memory);
  if (present(a.score_terms)) {
    load_table(a.score_terms, 256, memory + l.terms);
  }
  if (!SPANS) {
    load_values(a, l, head, all, memory);
    copies_done<0>();
  }
  block_barrier();
  attend<SPANS, STEPS, KIND>(a, l, head, memory, observer);
}

}  // namespace ivit
