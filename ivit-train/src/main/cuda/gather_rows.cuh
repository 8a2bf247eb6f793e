/* Rows of pictures in another order: windows and back, merged patches and back, patches alone. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct GatherArguments {
  Global<const unsigned char> from;
  Global<unsigned char> to;
  Global<const int32_t> order; /* row of the picture that is read, or written, for row i; or null */
  int64_t rows;       /* of all pictures */
  int32_t length;     /* rows of a picture */
  int32_t from_rows;  /* of a picture where it is read */
  int32_t to_rows;    /* of a picture where it is written */
  int32_t from_first; /* row that is row 0 */
  int32_t channels;
  int32_t scatter; /* whether the order is of the rows that are written */
};

template <typename T>
IVIT_DEVICE void gather_rows(const GatherArguments &a) {
  auto from = as<const T>(a.from);
  auto to = as<T>(a.to);
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    int64_t picture = row / a.length;
    int place = (int)(row % a.length);
    int other = present(a.order) ? a.order[place] : place;
    int64_t source = picture * a.from_rows + a.from_first + (a.scatter ? place : other);
    int64_t target = picture * a.to_rows + (a.scatter ? other : place);
    for (int c = (int)threadIdx.x; c < a.channels; c += (int)blockDim.x) {
      to[target * a.channels + c] = from[source * a.channels + c];
    }
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 4) gather_rows_8(IVIT_ARGUMENTS(ivit::GatherArguments) a) {
  ivit::gather_rows<int8_t>(a);
}

IVIT_KERNEL(256, 4) gather_rows_16(IVIT_ARGUMENTS(ivit::GatherArguments) a) {
  ivit::gather_rows<int16_t>(a);
}

IVIT_KERNEL(256, 4) gather_rows_32(IVIT_ARGUMENTS(ivit::GatherArguments) a) {
  ivit::gather_rows<float>(a);
}
