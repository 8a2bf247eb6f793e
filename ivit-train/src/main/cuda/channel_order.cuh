/* Codes as products and attention read them: channels in an order of their own, rows padded. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct OrderArguments {
  Global<const int8_t> from;   /* [rows][from_stride] */
  Global<int8_t> to;           /* [padded_rows][length] */
  Global<const int32_t> source; /* place in its row of each element, -1 of a zero, [length] */
  Divisor of_length;
  int64_t rows;
  int64_t padded_rows; /* those beyond `rows` are zeros */
  int32_t from_stride;
  int32_t length;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) order_channels(IVIT_ARGUMENTS(ivit::OrderArguments) a) {
  /* Neighbours come from anywhere in a row: a warp's 128 bytes in one piece suit the cache best. */
  bool wide = ivit::wide<4>(a.to);
  ivit::each_column<4>(a.padded_rows, a.length, a.of_length, wide, [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    int source[N];
#pragma unroll
    for (int k = 0; k < N; k++) {
      source[k] = a.source[c + k];
    }
    return [=, &a](int64_t row) {
      auto from = a.from + row * a.from_stride;
      bool there = row < a.rows;
      ivit::Some<int8_t, N> codes;
#pragma unroll
      for (int k = 0; k < N; k++) {
        put(codes, k, there && source[k] >= 0 ? from[source[k]] : (int8_t)0);
      }
      ivit::store(a.to + (row * a.length + c), codes);
    };
  });
}
