/*
 * Attention of one head of one group of tokens (a picture or a window) a block: scores, relative
 * bias and mask, Shiftmax, context. A warp takes 16 queries at a time, or all warps of a block share
 * 16 queries and split the keys: sums of integers are the same in any order. Codes of scores stay in
 * shared memory. There lie keys and values too: all of them, or, of long rows, as many as a span has,
 * the keys of one span after the other and then the values.
 */
#pragma once

#include "attention_memory.cuh"
#include "attention_softmax.cuh"

namespace ivit {

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

template <int STEPS>
IVIT_DEVICE void load_queries(
    const AttentionArguments &a, const Head &head, const Rows &rows, Left (&q)[STEPS]) {
  int column = (int)threadIdx.x % 4 * 4;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    auto from = a.qkv + (head.at(a, 0, rows.query[half]) + column);
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
      if (step * K_STEP < padded_dim<STEPS>(a)) {
        q[step].r[half] = *as<const uint32_t>(from + step * K_STEP);
        q[step].r[half + 2] = *as<const uint32_t>(from + (step * K_STEP + 16));
      }
    }
  }
}

/* Score n of word k among the accumulators of 32 keys. */
IVIT_DEVICE int32_t &score_of(Accumulator (&acc)[4], int k, int n) {
  return acc[(k >> 1) * 2 + (n >> 1)].r[(k & 1) * 2 + (n & 1)];
}

/* Four scores of a window with their biases; the least score in place of one that does not exist. */
IVIT_DEVICE uint32_t biased(
    const AttentionArguments &a, Shared<const int32_t> terms, const Head &head, uint32_t codes,
    uint32_t masked, int query, int key, int32_t &largest) {
  auto biases = a.biases + ((int64_t)(head.number * a.tokens + query) * a.tokens + key);
  int32_t sum[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    bool exists = key + i < a.tokens;
    sum[i] = exists ? terms[(int)byte_of(codes ^ 0x80808080u, i)] + biases[i] : -128;
    largest = exists && (masked >> i & 1u) == 0 ? larger(largest, sum[i]) : largest;
  }
  return pack_codes8(sum[0], sum[1], pack_codes8(sum[2], sum[3], 0));
}

/*
 * Codes of the scores of 16 queries and a share of a span's keys, and the largest of each row: outside of
 * windows, where no bias and no mask comes between, the largest accumulator. Those that do not exist
 * are less than any.
 */
template <int STEPS, Windows WINDOWS, typename Observer>
IVIT_DEVICE void score(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head, const Rows &rows,
    const Masks &masks, const Left (&q)[STEPS], const Span &span, const KeyShare &share,
    Shared<unsigned char> memory, Shared<unsigned char> scores, int32_t (&largest)[2],
    Observer &observer) {
  bool wide = a.score_half == 0;
  auto keys = memory + (l.keys + share.part * KEYS * l.key_stride);
  auto to = scores_at(scores, span.first + share.part * KEYS);
#pragma unroll 1
  for (int key = span.first + share.part * KEYS; key < span.end; key += share.parts * KEYS) {
    Accumulator acc[4] = {{{0, 0, 0, 0}}, {{0, 0, 0, 0}}, {{0, 0, 0, 0}}, {{0, 0, 0, 0}}};
#pragma unroll
    for (int j = 0; j < 4; j += 2) {
#pragma unroll
      for (int step = 0; step < STEPS; step++) {
        if (step * K_STEP < padded_dim<STEPS>(a)) {
          uint32_t both[4];
          load_matrices(both, [=](int matrix, int r) {
            int row = (j + (matrix >> 1)) * 8 + r;
            return keys + (row * l.key_stride + step * K_STEP + (matrix & 1) * 16);
          });
          multiply(acc[j], q[step], Right{{both[0], both[1]}});
          multiply(acc[j + 1], q[step], Right{{both[2], both[3]}});
        }
      }
    }
    products_done();
    keys = keys + share.parts * KEYS * l.key_stride;
    bool all = key + KEYS <= a.tokens;
#pragma unroll
    for (int k = 0; k < 4; k++) {
#pragma unroll
      for (int n = 0; n < 4; n++) {
        if (all || key_of_word(key, k) + n < a.tokens) {
          observer.score(score_of(acc, k, n));
        }
      }
    }
    if (!all) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
#pragma unroll
        for (int n = 0; n < 4; n++) {
          int32_t &z = score_of(acc, k, n);
          z = key_of_word(key, k) + n < a.tokens ? z : INT32_MIN;
        }
      }
    }
    bool in_window = in_windows<WINDOWS>(a);
    if (!in_window) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
#pragma unroll
        for (int n = 0; n < 4; n++) {
          largest[k & 1] = larger(largest[k & 1], score_of(acc, k, n));
        }
      }
    }
    if (wide) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int n = 0; n < 4; n++) {
          acc[j].r[n] = saturate16(requantize_wide(acc[j].r[n], a.score_multiplier, a.score_shift));
        }
      }
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int n = 0; n < 4; n++) {
          acc[j].r[n] =
              requantize_high(acc[j].r[n], a.score_multiplier, a.score_half, a.score_shift);
        }
      }
    }
    ScoreBytes bytes;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      uint32_t codes = pack_codes8(
          score_of(acc, k, 0), score_of(acc, k, 1),
          pack_codes8(score_of(acc, k, 2), score_of(acc, k, 3), 0));
      if (in_window) {
        int first = key_of_word(key, k);
        int query = rows.query[k & 1];
        observer.unbiased(a, head, codes, query, first);
        observer.unbiased(a, head, codes >> 16, query, first + 2);
        codes = biased(
            a, as<const int32_t>(memory + l.terms), head, codes, masks.word(key, k), query, first,
            largest[k & 1]);
      }
      bytes.r[k] = codes ^ 0x7f7f7f7fu;
    }
    *to = bytes;
    to = to + share.parts * WARP;
  }
}

/* What a warp sums of the context: by the lower bytes of probabilities, and by the upper ones. */
template <int TILES, Probabilities KIND>
struct ContextSums {
  Accumulator low[TILES];
  Accumulator high[KIND == Probabilities::WIDE ? TILES : 1];
  Accumulator row; /* of a column of ones: the exponentials' sums */

  IVIT_DEVICE void clear() {
#pragma unroll
    for (int j = 0; j < TILES; j++) {
      low[j] = Accumulator{{0, 0, 0, 0}};
      if (KIND == Probabilities::WIDE) {
        high[j] = Accumulator{{0, 0, 0, 0}};
      }
    }
    row = Accumulator{{0, 0, 0, 0}};
  }

  /* Both sums of tile j together. */
  IVIT_DEVICE Accumulator both(int j) const {
    Accumulator sum = low[j];
    if (KIND == Probabilities::WIDE) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        sum.r[k] = (int32_t)((uint32_t)sum.r[k] + ((uint32_t)high[j].r[k] << 8));
      }
    }
    return sum;
  }
};

/*
 * Adds what a share of a span's values gives to TILES times 8 channels of the context of 16 queries,
 * from channel `first` on. Only where a head has more channels than these may some of them not exist.
 */
template <int STEPS, int TILES, Probabilities KIND, Windows WINDOWS, typename Observer>
IVIT_DEVICE void context(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head,
    const Exponentials &table, const Masks &masks, const Rows &rows, const Span &span,
    const KeyShare &share, Shared<unsigned char> memory, Shared<unsigned char> scores, int first,
    ContextSums<TILES, KIND> &sums, Observer &observer) {
  auto values = memory + (l.values + share.part * l.value_block + first * KEYS);
  auto from = scores_at(scores, span.first + share.part * KEYS);
#pragma unroll 1
  for (int key = span.first + share.part * KEYS; key < span.end; key += share.parts * KEYS) {
    ScoreBytes bytes = *from;
    from = from + share.parts * WARP;
    Left lower;
    Left upper;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      uint32_t e[4];
      table.of(bytes.r[k], k, WINDOWS == Windows::NEVER ? 0 : masks.word(key, k), e);
      probabilities<KIND>(a, rows.factor[k & 1], e, lower.r[k], upper.r[k]);
    }
    limit_probabilities<KIND>(lower, upper);
    if (key + KEYS > a.tokens) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        uint32_t there = existing(key_of_word(key, k), a.tokens);
        lower.r[k] &= there;
        upper.r[k] &= there;
      }
    }
    if (first == 0) {
#pragma unroll
      for (int k = 0; k < 4; k++) {
        observer.probabilities(
            a, head, rows.query[k & 1], key_of_word(key, k), lower.r[k], upper.r[k]);
      }
    }
    if (KIND == Probabilities::DEFERRED) {
      multiply_unsigned(sums.row, lower, Right{{0x01010101u, 0x01010101u}});
    }
#pragma unroll
    for (int j = 0; j < TILES; j += 2) {
      if (STEPS > 2 && first + 8 * j >= a.padded_dim) {
        break;
      }
      uint32_t both[4];
      load_matrices(both, [=](int matrix, int r) {
        return values + value_at(8 * j + (matrix >> 1) * 8 + r, matrix & 1);
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
    values = values + share.parts * l.value_block;
  }
  products_done();
}

/* Where the context of a lane's two rows goes, and by what it is multiplied. */
struct ContextRows {
  Global<int8_t> row[2]; /* the head's first channel, where channels lie in order */
  bool asked[2];
  Global<const Bytes16> channels; /* the lane's first one */
  bool pairs;                     /* whether two neighbouring channels are stored at once */
  bool plain;                     /* so are all channels, with no wide product */

  IVIT_DEVICE ContextRows(const AttentionArguments &a, const Head &head, int query)
      : pairs(!present(a.place) && (a.head_dim & 1) == 0),
        plain(pairs && a.head_dim == a.padded_dim && a.wide == 0) {
    int lane = (int)threadIdx.x % WARP;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int q = query + (lane >> 2) + 8 * half;
      asked[half] = q < a.queries;
      int64_t to = ((int64_t)head.group * a.queries + q) * a.context_stride;
      row[half] = a.context + to + (pairs ? head.number * a.head_dim + 2 * (lane & 3) : 0);
    }
    channels = a.channels + (head.number * a.padded_dim + 2 * (lane & 3));
  }
};

/* Two neighbouring channels of a row whose places are looked up, or of which one may not exist. */
IVIT_DEVICE void store_single(
    const AttentionArguments &a, const Head &head, Global<int8_t> row, uint32_t codes,
    int channel) {
#pragma unroll
  for (int k = 0; k < 2; k++) {
    if (channel + k < a.head_dim) {
      int column = head.number * a.head_dim + channel + k;
      row[present(a.place) ? a.place[column] : column] = (int8_t)(codes >> (8 * k) & 255u);
    }
  }
}

/* Requantizes and stores 8 channels of 16 queries, from a channel of the head on. */
template <Probabilities KIND, bool PLAIN, typename Observer>
IVIT_DEVICE void finish_context(
    const AttentionArguments &a, const Head &head, const Rows &rows, const ContextRows &to,
    int query, int first, Accumulator acc, Observer &observer) {
  int channel = first + 2 * ((int)threadIdx.x & 3);
  if (KIND == Probabilities::DEFERRED) {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      acc.r[k] = (int32_t)requantize_wide(acc.r[k], (int32_t)rows.factor[k >> 1], 16);
    }
  }
  observer.context(a, head, query, channel, acc);
  Channel c[2] = {channel_at(to.channels, first), channel_at(to.channels, first + 1)};
  if (!PLAIN && a.wide != 0) {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      acc.r[k] = requantize(acc.r[k], c[k & 1], true);
    }
  } else {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      acc.r[k] = requantize(acc.r[k], c[k & 1], false);
    }
  }
#pragma unroll
  for (int half = 0; half < 2; half++) {
    uint32_t codes = pack_codes8(acc.r[2 * half], acc.r[2 * half + 1], 0);
    if (to.asked[half] && (PLAIN || channel < a.head_dim)) {
      if (PLAIN || to.pairs) {
        *as<uint16_t>(to.row[half] + first) = (uint16_t)codes;
      } else {
        store_single(a, head, to.row[half], codes, channel);
      }
    }
  }
}

/* Requantizes and stores a warp's sums. What is not plain has one piece of code for all tiles. */
template <int STEPS, int TILES, Probabilities KIND, typename Observer>
IVIT_DEVICE void finish_alone(
    const AttentionArguments &a, const Head &head, const Rows &rows, const ContextRows &to,
    int query, int first, const ContextSums<TILES, KIND> &sums, Observer &observer) {
  if (to.plain) {
#pragma unroll
    for (int j = 0; j < TILES; j++) {
      if (STEPS <= 2 || first + 8 * j < a.padded_dim) {
        finish_context<KIND, true>(
            a, head, rows, to, query, first + 8 * j, sums.both(j), observer);
      }
    }
    return;
  }
#pragma unroll 1
  for (int j = 0; j < TILES && first + 8 * j < a.padded_dim; j++) {
    Accumulator acc = sums.both(0);
#pragma unroll
    for (int k = 1; k < TILES; k++) {
      acc = k == j ? sums.both(k) : acc;
    }
    finish_context<KIND, false>(a, head, rows, to, query, first + 8 * j, acc, observer);
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

/*
 * Adds the sums of warps that split the keys, and finishes every `parts`-th tile of 8 channels. In
 * `exchange` lie [parts][TILES][WARP] accumulators.
 */
template <int TILES, Probabilities KIND, typename Observer>
IVIT_DEVICE void finish_together(
    const AttentionArguments &a, const Head &head, const Rows &rows, const ContextRows &to,
    const KeyShare &share, int query, int first, Shared<unsigned char> exchange,
    const ContextSums<TILES, KIND> &sums, Observer &observer) {
  auto words = as<Bytes16>(exchange);
  int lane = (int)threadIdx.x % WARP;
#pragma unroll
  for (int j = 0; j < TILES; j++) {
    Accumulator both = sums.both(j);
    words[(share.part * TILES + j) * WARP + lane] = Bytes16{
        {(uint32_t)both.r[0], (uint32_t)both.r[1], (uint32_t)both.r[2], (uint32_t)both.r[3]}};
  }
  block_barrier();
#pragma unroll 1
  for (int j = share.part; j < TILES; j += share.parts) {
    if (first + 8 * j < a.padded_dim) {
      Bytes16 sum = {{0, 0, 0, 0}};
#pragma unroll 1
      for (int part = 0; part < share.parts; part++) {
        Bytes16 more = words[(part * TILES + j) * WARP + lane];
#pragma unroll
        for (int k = 0; k < 4; k++) {
          sum.r[k] += more.r[k];
        }
      }
      Accumulator acc = {
          {(int32_t)sum.r[0], (int32_t)sum.r[1], (int32_t)sum.r[2], (int32_t)sum.r[3]}};
      finish_context<KIND, false>(a, head, rows, to, query, first + 8 * j, acc, observer);
    }
  }
  block_barrier();
}

/* All queries of a block. Warps that have none left go through spans with the others. */
template <int STEPS, Probabilities KIND, Windows WINDOWS, bool SPANS, typename Observer>
IVIT_DEVICE void attend(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head,
    Shared<unsigned char> memory, Observer &observer) {
  const int tiles = STEPS == 1 ? 4 : 8;
  int lane = (int)threadIdx.x % WARP;
  int warps = (int)blockDim.x / WARP;
  int warp = (int)threadIdx.x / WARP;
  bool together = a.together != 0;
  KeyShare share = together ? KeyShare{warp, warps} : KeyShare{0, 1};
  int own = together ? 1 : warps;
  auto scores = memory + (l.scores + (together ? 0 : warp) * l.score_bytes);
  auto exchange = memory + l.exchange;
  auto largest_words = as<uint32_t>(exchange);
  auto sum_words = largest_words + warps * QUERIES;
  auto context_words = exchange + warps * QUERIES * 8;
#pragma unroll 1
  for (int round = (int)blockIdx.z * own; round * QUERIES < a.queries;
       round += (int)gridDim.z * own) {
    int tile = round + (together ? 0 : warp);
    bool busy = tile * QUERIES < a.queries;
    if (!SPANS && !busy) {
      break;
    }
    Rows rows;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int query = tile * QUERIES + (lane >> 2) + 8 * half;
      rows.query[half] = query < a.queries ? query : a.queries - 1;
    }
    Masks masks = masks_of<WINDOWS>(a, head, rows);
    Left q[STEPS];
    load_queries<STEPS>(a, head, rows, q);
    int32_t largest[2] = {INT32_MIN, INT32_MIN};
    for_spans<SPANS>(
        a, [&](const Span &span) { load_keys<STEPS>(a, l, head, span, memory); },
        [&](const Span &span) {
          if (!SPANS || busy) {
            score<STEPS, WINDOWS>(
                a, l, head, rows, masks, q, span, share, memory, scores, largest, observer);
          }
        });
    uint32_t row[2] = {
        (uint32_t)largest_of_lanes(largest[0]), (uint32_t)largest_of_lanes(largest[1])};
    if (together) {
      over_warps(largest_words, share, row, [](uint32_t x, uint32_t y) {
        return (uint32_t)larger((int32_t)x, (int32_t)y);
      });
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int32_t z = (int32_t)row[half];
      if (!in_windows<WINDOWS>(a)) {
        Channel scores = {0, a.score_multiplier, a.score_half, a.score_shift};
        z = requantize(z, scores, a.score_half == 0);
      }
      rows.largest[half] = saturate8(z);
    }
    Exponentials table(a, memory, rows);
    if (KIND != Probabilities::DEFERRED) {
      uint32_t sum[2] = {0, 0};
      if (!SPANS || busy) {
        sum_rows<WINDOWS>(a, table, masks, scores, share, sum);
      }
      row[0] = sum_of_lanes(sum[0]);
      row[1] = sum_of_lanes(sum[1]);
      if (together) {
        over_warps(sum_words, share, row, [](uint32_t x, uint32_t y) { return x + y; });
      }
    }
    if (KIND != Probabilities::DEFERRED && (!SPANS || busy)) {
      set_factors(rows, row);
    }
#pragma unroll 1
    for (int first = 0; first < padded_dim<STEPS>(a); first += 8 * tiles) {
      ContextSums<tiles, KIND> sums;
      sums.clear();
      for_spans<SPANS>(
          a, [&](const Span &span) { load_values<STEPS>(a, l, head, span, memory); },
          [&](const Span &span) {
            if (!SPANS || busy) {
              context<STEPS, tiles, KIND, WINDOWS>(
                  a, l, head, table, masks, rows, span, share, memory, scores, first, sums,
                  observer);
            }
          });
      if (SPANS && !busy) {
        continue;
      }
      if (KIND == Probabilities::DEFERRED) {
        row[0] = (uint32_t)sums.row.r[0];
        row[1] = (uint32_t)sums.row.r[2];
        if (together) {
          over_warps(sum_words, share, row, [](uint32_t x, uint32_t y) { return x + y; });
        }
        set_factors(rows, row);
      }
      ContextRows to(a, head, tile * QUERIES);
      if (together) {
        finish_together<tiles>(
            a, head, rows, to, share, tile * QUERIES, first, context_words, sums, observer);
      } else {
        finish_alone<STEPS>(a, head, rows, to, tile * QUERIES, first, sums, observer);
      }
    }
  }
}

/*
 * STEPS times 32 channels a head at most. Blocks: groups, heads, shares of the queries. Shared
 * memory: AttentionLayout. SPANS says whether the span is shorter than a row.
 */
template <int STEPS, Probabilities KIND, Windows WINDOWS, bool SPANS, typename Observer>
IVIT_DEVICE void attention(const AttentionArguments &a, Observer &observer) {
  Shared<unsigned char> memory = shared_memory();
  AttentionLayout l = attention_layout<STEPS, WINDOWS>(a);
  int group = (int)blockIdx.x;
  Head head = {
      (int)blockIdx.y, group, (int64_t)group * a.tokens, 3 * a.heads * a.padded_dim};
  Span all = {0, a.tokens};
  if (!SPANS) {
    load_keys<STEPS>(a, l, head, all, memory);
  }
  load_exponentials(a, memory);
  if (in_windows<WINDOWS>(a)) {
    load_terms(a, l, memory);
  }
  if (!SPANS) {
    load_values<STEPS>(a, l, head, all, memory);
    copies_done<0>();
  }
  block_barrier();
  attend<STEPS, KIND, WINDOWS, SPANS>(a, l, head, memory, observer);
}

}  // namespace ivit
