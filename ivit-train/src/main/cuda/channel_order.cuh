/* Codes as products and attention read them: channels in an order of their own, rows padded. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct OrderArguments {
  Global<const int8_t> from;   /* [rows][from_stride] */
  Global<int8_t> to;           /* [padded_rows][length] */
  Global<const int32_t> source; /* place in its row of each element, -1 of a zero, [length] */
  int64_t rows;
  int64_t padded_rows; /* those beyond `rows` are zeros */
  int32_t from_stride;
  int32_t length;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) order_channels(IVIT_ARGUMENTS(ivit::OrderArguments) a) {
  for (int64_t row = blockIdx.x; row < a.padded_rows; row += gridDim.x) {
    for (int c = (int)threadIdx.x; c < a.length; c += (int)blockDim.x) {
      int from = row < a.rows ? a.source[c] : -1;
      a.to[row * a.length + c] = from < 0 ? (int8_t)0 : a.from[row * a.from_stride + from];
    }
  }
}
