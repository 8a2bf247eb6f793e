/* Rotary positions of codes for training, and the extremes of what is turned. */
#pragma once

#include "extremes.cuh"
#include "requantize.cuh"
#include "rotary.cuh"
#include "walk.cuh"

namespace ivit {

struct ObservedRotationArguments {
  Global<const int16_t> from;    /* [rows][3][heads][head_dim] */
  Global<int8_t> to;             /* [rows][3][heads][head_dim] */
  Global<const uint32_t> turns;  /* cosine and sine, 16 bits each, [tokens][head_dim] */
  Global<const int32_t> partner; /* channel of the head, [head_dim] */
  Global<int32_t> extremes;      /* 2^14 times codes; or null */
  Dyadic rotation;
  Divisor of_row;      /* 3 * heads * head_dim */
  Divisor of_tokens;
  Divisor of_head_dim;
  int64_t rows;
  int32_t tokens;
  int32_t heads;
  int32_t head_dim;
  int32_t unused;
};

}  // namespace ivit

/* Shared memory: EXTREMES_BYTES. */
IVIT_KERNEL(256, 4) rotate_observed(IVIT_ARGUMENTS(ivit::ObservedRotationArguments) a) {
  int32_t least = INT32_MAX;
  int32_t largest = INT32_MIN;
  int dim = a.heads * a.head_dim;
  /* A vector lies in one head. */
  bool wide = ivit::wide<4>(a.from, a.to, a.turns) && a.head_dim % 4 == 0;
  ivit::each_column<4>(a.rows, 3 * dim, a.of_row, wide, [&](int i, auto n) {
    constexpr int N = decltype(n)::width;
    int head = (int)ivit::divide((uint32_t)i, a.of_head_dim) * a.head_dim;
    int c = i - head;
    bool turns = i < 2 * dim;
    int partner[N];
#pragma unroll
    for (int k = 0; k < N; k++) {
      partner[k] = turns ? head + a.partner[c + k] : 0;
    }
    return [=, &a, &least, &largest](int64_t row) {
      auto from = a.from + row * 3 * dim;
      auto own = ivit::load<N>(from + i);
      ivit::Some<uint32_t, N> turn = {};
      if (turns) {
        uint32_t number = (uint32_t)row;
        uint32_t token = number - ivit::divide(number, a.of_tokens) * (uint32_t)a.tokens;
        turn = ivit::load<N>(a.turns + ((int64_t)token * a.head_dim + c));
      }
      ivit::Some<int8_t, N> to;
#pragma unroll
      for (int k = 0; k < N; k++) {
        int32_t v = turns ? ivit::turned(at(own, k), from[partner[k]], at(turn, k))
                          : at(own, k) * (1 << ivit::ROTARY_BITS);
        least = v < least ? v : least;
        largest = v > largest ? v : largest;
        int64_t code = ivit::requantize_wide(v, a.rotation.multiplier, a.rotation.shift);
        put(to, k, (int8_t)ivit::saturate8(ivit::saturate16(code)));
      }
      ivit::store(a.to + (row * 3 * dim + i), to);
    };
  });
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_block(a.extremes, least, largest);
  }
}
