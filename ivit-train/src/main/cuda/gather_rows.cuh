/* Rows of pictures in another order: windows and back, merged patches and back, patches alone. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct GatherArguments {
  Global<const unsigned char> from;
  Global<unsigned char> to;
  Global<const int32_t> order; /* row of the picture that is read, or written, for row i; or null */
  int64_t rows;       /* of all pictures */
  Divisor of_channels;
  Divisor of_length;
  int32_t length;     /* rows of a picture */
  int32_t from_rows;  /* of a picture where it is read */
  int32_t to_rows;    /* of a picture where it is written */
  int32_t from_first; /* row that is row 0 */
  int32_t channels;
  int32_t scatter; /* whether the order is of the rows that are written */
};

/* 16 bytes at once. */
template <typename T>
IVIT_DEVICE void gather_rows(const GatherArguments &a) {
  auto from = as<const T>(a.from);
  auto to = as<T>(a.to);
  const int most = 16 / (int)sizeof(T);
  bool aligned = wide<most>(from, to);
  each_column<most>(a.rows, a.channels, a.of_channels, aligned, [&](int c, auto n) {
    return [=, &a](int64_t row) {
      int64_t picture = divide((uint32_t)row, a.of_length);
      int place = (int)(row - picture * a.length);
      int other = present(a.order) ? a.order[place] : place;
      int64_t source = picture * a.from_rows + a.from_first + (a.scatter ? place : other);
      int64_t target = picture * a.to_rows + (a.scatter ? other : place);
      store(
          to + (target * a.channels + c),
          load<decltype(n)::width>(from + (source * a.channels + c)));
    };
  });
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
