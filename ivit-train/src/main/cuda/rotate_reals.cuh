/* Rotary positions of reals, and of gradients by the opposite angle. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct RealRotationArguments {
  Global<float> values;      /* [rows][3][heads][head_dim]; queries and keys are turned in place */
  Global<const float> turns; /* cosine and sine of a pair's first channel, [tokens][head_dim / 2][2] */
  int64_t rows;
  Divisor of_row;    /* pairs of queries and keys: heads * head_dim */
  Divisor of_tokens;
  Divisor of_pairs;  /* of a head: head_dim / 2 */
  int32_t tokens;
  int32_t heads;
  int32_t head_dim;
  int32_t step;     /* channels from a pair's first to the next pair's */
  int32_t distance; /* from a pair's first channel to its second */
  int32_t back;     /* whether by the opposite angle */
};

}  // namespace ivit

/* A thread a pair. */
IVIT_KERNEL(256, 4) rotate_reals(IVIT_ARGUMENTS(ivit::RealRotationArguments) a) {
  int pairs = a.head_dim / 2;
  ivit::each_column<1>(a.rows, 2 * a.heads * pairs, a.of_row, true, [&](int i, auto) {
    int head = (int)ivit::divide((uint32_t)i, a.of_pairs);
    int pair = i - head * pairs;
    int first = head * a.head_dim + pair * a.step;
    return [=, &a](int64_t row) {
      uint32_t number = (uint32_t)row;
      uint32_t token = number - ivit::divide(number, a.of_tokens) * (uint32_t)a.tokens;
      auto values = a.values + (row * 3 * a.heads * a.head_dim + first);
      auto turns = a.turns + ((int64_t)token * a.head_dim + 2 * pair);
      float cosine = turns[0];
      float sine = a.back ? -turns[1] : turns[1];
      float x = values[0];
      float y = values[a.distance];
      values[0] = x * cosine + y * sine;
      values[a.distance] = y * cosine - x * sine;
    };
  });
}
