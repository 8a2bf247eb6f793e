/*
 * The engine's attention for training: its codes, the probabilities that the backward pass needs, and
 * the extremes of scores, biased scores and context.
 */
#pragma once

#include "attention.cuh"
#include "attention_variants.cuh"
#include "extremes.cuh"
#include "reals.cuh"

namespace ivit {

struct ObservedAttentionArguments {
  AttentionArguments attention;
  Global<int16_t> probabilities;   /* [groups][heads][query][key]; or null */
  Global<int32_t> scores;          /* least and largest accumulator; or null: nothing is observed */
  Global<int32_t> least;           /* context's accumulators by channel */
  Global<int32_t> largest;
  Global<uint64_t> biased;         /* ordered bits of the least and the largest biased score */
  Global<const int8_t> positions;  /* codes of the biases, [heads][query][key] */
  double score_scale;
  double position_scale;
};

struct AttentionObserver {
  const ObservedAttentionArguments &o;
  bool seen;
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  double low = INFINITE;
  double high = -INFINITE;
  /*
   * Of the context: a lane keeps two columns of 64, and shows them when the warp goes on to others, so
   * that it waits for what others have shown once and not for each tile.
   */
  int columns = -1; /* the first of 64 */
  int32_t smallest[2] = {INT32_MAX, INT32_MAX};
  int32_t greatest[2] = {INT32_MIN, INT32_MIN};

  IVIT_DEVICE explicit AttentionObserver(const ObservedAttentionArguments &arguments)
      : o(arguments), seen(present(arguments.scores)) {}

  IVIT_DEVICE void score(int32_t z) {
    least = z < least ? z : least;
    largest = z > largest ? z : largest;
  }

  IVIT_DEVICE void unbiased(
      const AttentionArguments &a, const Head &head, uint32_t codes, int query, int key) {
    if (!seen) {
      return;
    }
    auto position = o.positions + ((int64_t)(head.number * a.tokens + query) * a.tokens + key);
#pragma unroll
    for (int k = 0; k < 2; k++) {
      if (key + k < a.tokens) {
        double value = (int8_t)(codes >> (8 * k) & 255u) * o.score_scale
            + position[k] * o.position_scale;
        low = value < low ? value : low;
        high = value > high ? value : high;
      }
    }
  }

  IVIT_DEVICE void probabilities(
      const AttentionArguments &a, const Head &head, int query, int key, uint32_t lower,
      uint32_t upper) {
    if (!present(o.probabilities)) {
      return;
    }
    int64_t row = ((int64_t)head.group * a.heads + head.number) * a.tokens + query;
    auto to = o.probabilities + (row * a.tokens + key);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      if (key + k < a.tokens) {
        to[k] = (int16_t)(byte_of(lower, k) | byte_of(upper, k) << 8);
      }
    }
  }

  IVIT_DEVICE void context(
      const AttentionArguments &a, const Head &head, int query, int channel,
      const Accumulator &acc) {
    if (!seen) {
      return;
    }
    int lane = (int)threadIdx.x % WARP;
    /* A warp takes columns from the first of 64 on: which is known where loops are unrolled. */
    int first = head.number * a.head_dim + (channel & ~63);
    if ((channel & 56) == 0 && first != columns) {
      show_columns();
      columns = first;
    }
#pragma unroll
    for (int k = 0; k < 2; k++) {
      int32_t low = INT32_MAX;
      int32_t high = INT32_MIN;
#pragma unroll
      for (int half = 0; half < 2; half++) {
        if (query + (lane >> 2) + 8 * half < a.queries) {
          int32_t z = acc.r[2 * half + k];
          low = z < low ? z : low;
          high = z > high ? z : high;
        }
      }
      for (int lanes = 4; lanes < WARP; lanes *= 2) {
        int32_t other = shuffle_xor(low, lanes);
        low = other < low ? other : low;
        other = shuffle_xor(high, lanes);
        high = other > high ? other : high;
      }
      if (lane >> 2 == (channel >> 3 & 7) && channel + k < a.head_dim) {
        smallest[k] = low < smallest[k] ? low : smallest[k];
        greatest[k] = high > greatest[k] ? high : greatest[k];
      }
    }
  }

  /* The columns that lanes keep, and none afterwards. */
  IVIT_DEVICE void show_columns() {
    int own = columns + 2 * ((int)threadIdx.x % WARP);
#pragma unroll
    for (int k = 0; k < 2; k++) {
      if (columns >= 0 && smallest[k] <= greatest[k]) {
        widen(o.least + (own + k), o.largest + (own + k), smallest[k], greatest[k]);
      }
      smallest[k] = INT32_MAX;
      greatest[k] = INT32_MIN;
    }
  }

  IVIT_DEVICE void finish() {
    if (!seen) {
      return;
    }
    show_columns();
    reduce_extremes(least, largest);
    if ((int)threadIdx.x % WARP == 0 && least <= largest) {
      widen(o.scores, o.scores + 1, least, largest);
    }
    if (present(o.positions)) {
      extremes_of_warp(o.biased, low, high);
    }
  }
};

template <int STEPS, Probabilities KIND, Windows WINDOWS, bool SPANS>
IVIT_DEVICE void attention_observed(const ObservedAttentionArguments &o) {
  AttentionObserver observer(o);
  attention<STEPS, KIND, WINDOWS, SPANS>(o.attention, observer);
  observer.finish();
}

}  // namespace ivit

#define IVIT_ATTENTION(name, blocks, steps, kind, windows, spans)                              \
  IVIT_KERNEL(224, blocks) attention_observed_##name(                                          \
      IVIT_ARGUMENTS(ivit::ObservedAttentionArguments) a) {                                    \
    ivit::attention_observed<steps, ivit::Probabilities::kind, ivit::Windows::windows, spans>( \
        a);                                                                                    \
  }

IVIT_ATTENTIONS(IVIT_ATTENTION)

#undef IVIT_ATTENTION
