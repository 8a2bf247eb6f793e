/* Stages of a product whose weights are indices: decoded on their way into shared memory. */
#pragma once

#include "linear.cuh"

namespace ivit {

/*
 * As StageLoader. A stage's indices are fetched into registers before a product and decoded after it,
 * so that the fetch is not waited for; outlier steps are copied, as codes are.
 */
template <typename Shape>
struct IndexLoader {
  using Share = StageShare<Shape>;

  InputLoader<Shape> input;
  Global<const int8_t> outliers;
  Bytes16 table[Share::weights];
  IndexChunk held[Share::weights];
  Bytes16 places;
  int64_t column;
  int chunks;
  int outlier_chunks;
  int chunk;
  int decoded; /* whether what is held is to be decoded: it is no outlier step */

  IVIT_DEVICE IndexLoader(const LinearArguments &a, int first_row, int first_column)
      : input(a, first_row) {
    column = first_column + Share::row();
    chunks = a.depth / 16;
    outlier_chunks = a.outlier_steps * (K_STEP / 16);
    outliers = a.indices.outliers;
    decoded = 0;
    if (present(a.indices.tables)) {
#pragma unroll
      for (int n = 0; n < Share::weights; n++) {
        table[n] = a.indices.tables[column + n * Share::distance];
      }
    }
  }

  IVIT_DEVICE void load(const LinearArguments &a, Shared<unsigned char> stage, int tile) {
    input.load(stage, tile);
    chunk = tile * Share::chunks + Share::chunk();
    decoded = chunk >= outlier_chunks ? 1 : 0;
    Shared<unsigned char> to = Share::weight_of(stage);
    if (decoded == 0) {
#pragma unroll
      for (int n = 0; n < Share::weights; n++) {
        int64_t from = ((column + n * Share::distance) * outlier_chunks + chunk) * 16;
        copy16(to + n * Share::distance * DEPTH, outliers + from, true);
      }
      return;
    }
    const IndexArguments &i = a.indices;
#pragma unroll
    for (int n = 0; n < Share::weights; n++) {
      int64_t at = (column + n * Share::distance) * chunks + chunk;
      held[n].low = i.low[at];
#pragma unroll
      for (int p = 0; p < MOST_PLANES; p++) {
        if (i.bits > 4 + p) {
          held[n].planes[p] = i.planes[p * i.plane + at];
        }
      }
      if (present(i.multipliers)) {
        int group = (chunk - outlier_chunks) >> i.group_chunks;
        held[n].multiplier =
            i.multipliers[(column + n * Share::distance) * i.groups + group];
      }
    }
    if (present(i.tables)) {
      places = i.places[chunk];
    }
  }

  IVIT_DEVICE void finish(const LinearArguments &a, Shared<unsigned char> stage) {
    if (decoded == 0) {
      return;
    }
    Shared<unsigned char> to = Share::weight_of(stage);
    bool by_table = present(a.indices.tables);
#pragma unroll
    for (int n = 0; n < Share::weights; n++) {
      *as<Bytes16>(to + n * Share::distance * DEPTH) = by_table
          ? decode_table(held[n], table[n], places)
          : decode_group(a.indices, held[n]);
    }
  }
};

}  // namespace ivit
