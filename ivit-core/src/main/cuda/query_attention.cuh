/*
 * Attention of one constant query, whose scores are a product already: Shiftmax over a picture's tokens
 * and context, a block a head of a picture.
 */
#pragma once

#include "divide.cuh"
#include "requantize.cuh"

namespace ivit {

struct QueryAttentionArguments {
  Global<const int8_t> scores;         /* [pictures * tokens][score_stride], a column a head */
  Global<const int8_t> values;         /* [pictures * tokens][value_stride] */
  Global<int8_t> context;              /* [pictures][context_stride] */
  Global<const int32_t> place;         /* of each context channel in its row; null for in order */
  Global<const Bytes16> channels;      /* Channel, [heads * head_dim] */
  Global<const uint32_t> exponentials; /* [257] */
  int32_t tokens;
  int32_t head_dim;
  int32_t score_stride;
  int32_t value_stride;
  int32_t context_stride;
  uint32_t rounding;
  int32_t bits;
  int32_t deferred; /* whether the sum of the exponentials is divided out of the context */
  int32_t wide;
  int32_t unused;
};

enum { QUERY_THREADS = 128, QUERY_WARPS = QUERY_THREADS / WARP };

/* The largest, or the sum, over all threads of a block; `words` has one for each warp. */
template <typename Operation>
IVIT_DEVICE uint32_t block_reduce(uint32_t v, Shared<uint32_t> words, Operation operation) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
    v = operation(v, shuffle_xor(v, lanes));
  }
  if ((int)threadIdx.x % WARP == 0) {
    words[(int)threadIdx.x / WARP] = v;
  }
  block_barrier();
  v = words[0];
  for (int warp = 1; warp < QUERY_WARPS; warp++) {
    v = operation(v, words[warp]);
  }
  return v;
}

/* What meets a value: a probability of at most 16 bits, or the exponential itself. */
IVIT_DEVICE uint32_t probability(
    const QueryAttentionArguments &a, uint32_t exponential, uint32_t factor) {
  uint32_t limit = (1u << (a.bits - 1)) - 1;
  uint32_t p = (exponential * factor + a.rounding) >> (32 - a.bits);
  return a.deferred != 0 ? exponential : p < limit ? p : limit;
}

/*
 * Blocks: heads, pictures. Shared memory: a word a warp twice, then 16 bits a token. The observer is
 * shown the probability of each token and the accumulator of each channel of the context.
 */
template <typename Observer>
IVIT_DEVICE void query_attention(const QueryAttentionArguments &a, Observer &observer) {
  int head = (int)blockIdx.x;
  int picture = (int)blockIdx.y;
  int thread = (int)threadIdx.x;
  auto words = as<uint32_t>(shared_memory());
  auto probabilities = as<uint16_t>(shared_memory() + 8 * QUERY_WARPS);
  auto scores = a.scores + ((int64_t)picture * a.tokens * a.score_stride + head);

  /* Offset codes, so that the largest is one of natural numbers. */
  uint32_t largest = 0;
  for (int t = thread; t < a.tokens; t += QUERY_THREADS) {
    uint32_t code = (uint32_t)(scores[(int64_t)t * a.score_stride] + 128);
    largest = code > largest ? code : largest;
  }
  largest = block_reduce(largest, words, [](uint32_t x, uint32_t y) { return x > y ? x : y; });
  uint32_t sum = 0;
  for (int t = thread; t < a.tokens; t += QUERY_THREADS) {
    uint32_t code = (uint32_t)(scores[(int64_t)t * a.score_stride] + 128);
    sum += a.exponentials[largest - code];
  }
  sum = block_reduce(
      sum, words + QUERY_WARPS, [](uint32_t x, uint32_t y) { return x + y; });
  uint32_t factor = divide_most(sum);
  for (int t = thread; t < a.tokens; t += QUERY_THREADS) {
    uint32_t code = (uint32_t)(scores[(int64_t)t * a.score_stride] + 128);
    uint32_t p = probability(a, a.exponentials[largest - code], factor);
    probabilities[t] = (uint16_t)p;
    observer.probability(a, picture, head, t, p);
  }
  block_barrier();

  for (int d = thread; d < a.head_dim; d += QUERY_THREADS) {
    int channel = head * a.head_dim + d;
    auto values = a.values + ((int64_t)picture * a.tokens * a.value_stride + channel);
    int32_t z = 0;
    for (int t = 0; t < a.tokens; t++) {
      z += (int32_t)probabilities[t] * values[(int64_t)t * a.value_stride];
    }
    if (a.deferred != 0) {
      z = (int32_t)requantize_wide(z, (int32_t)factor, 16);
    }
    observer.context(channel, z);
    int32_t code = requantize(z, channel_at(a.channels, channel), a.wide != 0);
    int to = present(a.place) ? a.place[channel] : channel;
    a.context[(int64_t)picture * a.context_stride + to] = (int8_t)saturate8(code);
  }
}

}  // namespace ivit
