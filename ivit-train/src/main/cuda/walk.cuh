/*
 * How threads share elements. The quotients that a thread needs are taken once, by divisors that the
 * host knows: a division of 64 bits is a call on a GPU, and one in a loop costs more than moving what
 * it finds.
 */
#pragma once

#include "divide.cuh"
#include "vectors.cuh"

namespace ivit {

/*
 * Elements that lie one after the other, shared by a grid: body(i, Width<n>()) for the n elements
 * from i on, N at once where they are wide, the last ones and all others one by one.
 */
template <int N, typename Body>
IVIT_DEVICE void each_element(int64_t count, bool wide, Body body) {
  int64_t whole = wide ? count & -(int64_t)N : 0;
  int64_t step = thread_count();
  /* To unroll, a compiler would divide. */
#pragma unroll 1
  for (int64_t i = thread_number() * N; i < whole; i += step * N) {
    body(i, Width<N>());
  }
#pragma unroll 1
  for (int64_t i = whole + thread_number(); i < count; i += step) {
    body(i, Width<1>());
  }
}

/* Elements of a row that a warp shares, as each_element. */
template <int N, typename Body>
IVIT_DEVICE void each_of_row(int count, bool wide, Body body) {
  int lane = (int)threadIdx.x % WARP;
  int whole = wide ? count & -N : 0;
#pragma unroll 1
  for (int i = lane * N; i < whole; i += WARP * N) {
    body(i, Width<N>());
  }
#pragma unroll 1
  for (int i = whole + lane; i < count; i += WARP) {
    body(i, Width<1>());
  }
}

/*
 * A thread's share of rows: columns in groups of N, from the first group on, each with every so many
 * rows. Neighbouring threads have neighbouring groups of one row.
 */
struct Share {
  uint32_t row;
  uint32_t row_step;
  uint32_t group;
  uint32_t group_step;
  uint32_t groups; /* of a row */
};

/* That of one of fewer than 2^27 threads. N divides columns, and is at most 16. */
template <int N>
IVIT_DEVICE Share share_of(
    uint32_t number, uint32_t threads, int columns, const Divisor &of_columns) {
  uint32_t groups = (uint32_t)columns / N;
  /* A quotient by groups is one by columns of N times as many. */
  uint32_t rows = divide(threads * N, of_columns);
  if (rows == 0) {
    return Share{0, 1, number, threads, groups};
  }
  uint32_t row = divide(number * N, of_columns);
  /* The threads beyond whole rows have nothing to do. */
  uint32_t group = row < rows ? number - row * groups : groups;
  return Share{row, rows, group, groups, groups};
}

template <int N, typename Strip>
IVIT_DEVICE void each_strip(int64_t rows, int columns, const Divisor &of_columns, Strip strip) {
  Share share = share_of<N>(
      (uint32_t)thread_number(), (uint32_t)thread_count(), columns, of_columns);
#pragma unroll 1
  for (uint32_t group = share.group; group < share.groups; group += share.group_step) {
    auto body = strip((int)group * N, Width<N>());
#pragma unroll 1
    for (int64_t row = share.row; row < rows; row += share.row_step) {
      body(row);
    }
  }
}

/*
 * Elements of rows, shared by a grid: strip(column, Width<n>()) gives a body(row) for the n columns
 * from that one on, which then takes rows one after the other. So what belongs to columns is fetched
 * once. N at once where rows are wide and hold a multiple of them, otherwise one by one.
 */
template <int N, typename Strip>
IVIT_DEVICE void each_column(
    int64_t rows, int columns, const Divisor &of_columns, bool wide, Strip strip) {
  if (N > 1 && wide && columns % N == 0) {
    each_strip<N>(rows, columns, of_columns, strip);
  } else {
    each_strip<1>(rows, columns, of_columns, strip);
  }
}

}  // namespace ivit
