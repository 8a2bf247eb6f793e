/* Rotary positions of reals, and of gradients by the opposite angle. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct RealRotationArguments {
  Global<float> values;      /* [rows][3][heads][head_dim]; queries and keys are turned in place */
  Global<const float> turns; /* cosine and sine of a pair's first channel, [tokens][head_dim / 2][2] */
  int64_t rows;
  int32_t tokens;
  int32_t heads;
  int32_t head_dim;
  int32_t step;     /* channels from a pair's first to the next pair's */
  int32_t distance; /* from a pair's first channel to its second */
  int32_t back;     /* whether by the opposite angle */
};

}  // namespace ivit

/* A block a row, a thread a pair. */
IVIT_KERNEL(256, 4) rotate_reals(IVIT_ARGUMENTS(ivit::RealRotationArguments) a) {
  int pairs = a.head_dim / 2;
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    auto values = a.values + row * 3 * a.heads * a.head_dim;
    auto turns = a.turns + row % a.tokens * a.head_dim;
    for (int i = (int)threadIdx.x; i < 2 * a.heads * pairs; i += (int)blockDim.x) {
      int pair = i % pairs;
      int first = i / pairs * a.head_dim + pair * a.step;
      float cosine = turns[2 * pair];
      float sine = a.back ? -turns[2 * pair + 1] : turns[2 * pair + 1];
      float x = values[first];
      float y = values[first + a.distance];
      values[first] = x * cosine + y * sine;
      values[first + a.distance] = y * cosine - x * sine;
    }
  }
}
