/* A warp's part of a product's tile: how its words are multiplied and where the sums lie. */
#pragma once

#include "linear.cuh"
#include "product_operand.cuh"

#ifdef IVIT_EMULATION
#include "emulation_products.h"
#else
#include "device_products.cuh"
#endif

namespace ivit {

/* A block's tile and how its warps share it. */
template <int R, int C, int WR, int WC>
struct ProductShape {
  enum {
    rows = R,
    columns = C,
    warp_rows = WR,
    warp_columns = WC,
    threads = (R / WR) * (C / WC) * WARP,
    tile_words = (R + C) * PRODUCT_WORDS
  };
  static_assert(WR % 32 == 0 && WC % 32 == 0, "offsets of fragments repeat after 32 places");
};

using LargeProduct = ProductShape<128, 128, 64, 32>;
using SmallProduct = ProductShape<64, 64, 32, 32>;

/* Fused multiplications in order along K: 4 by 4 sums of every 32 by 16 are a lane's. */
template <typename Shape>
struct SumsFloat32 {
  enum { down = Shape::warp_rows / 8, across = Shape::warp_columns / 4 };

  TilePlace place = tile_place<Shape>();
  float r[down][across];

  IVIT_DEVICE SumsFloat32() {
#pragma unroll
    for (int i = 0; i < down; i++) {
#pragma unroll
      for (int j = 0; j < across; j++) {
        r[i][j] = 0.0f;
      }
    }
  }

  IVIT_DEVICE int row(int i) const { return place.row + i / 4 * 32 + place.lane / 4 * 4 + i % 4; }

  IVIT_DEVICE int column(int j) const {
    return place.column + j / 4 * 16 + place.lane % 4 * 4 + j % 4;
  }

  IVIT_DEVICE void add(Shared<uint32_t> left, Shared<uint32_t> right) {
#pragma unroll 4
    for (int word = 0; word < PRODUCT_WORDS; word++) {
      float a[down];
      float b[across];
#pragma unroll
      for (int i = 0; i < down; i += 4) {
        take(a + i, left + word_at<Shape::rows>(word, row(i)));
      }
#pragma unroll
      for (int j = 0; j < across; j += 4) {
        take(b + j, right + word_at<Shape::columns>(word, column(j)));
      }
#pragma unroll
      for (int i = 0; i < down; i++) {
#pragma unroll
        for (int j = 0; j < across; j++) {
          r[i][j] = fused(a[i], b[j], r[i][j]);
        }
      }
    }
  }

  IVIT_DEVICE static void take(float *to, Shared<uint32_t> from) {
    Bytes16 words = *as<Bytes16>(from);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      to[i] = real_of(words.r[i]);
    }
  }

  /* Calls write(row, column, sum, sum of the next column). */
  template <typename Write>
  IVIT_DEVICE void each(Write write) {
#pragma unroll
    for (int i = 0; i < down; i++) {
#pragma unroll
      for (int j = 0; j < across; j += 2) {
        write(row(i), column(j), r[i][j], r[i][j + 1]);
      }
    }
  }
};

struct Float32 {
  enum { pack = 1 };

  IVIT_DEVICE static uint32_t word(float v) { return bits_of(v); }

  template <typename Shape>
  using Sums = SumsFloat32<Shape>;
};

#ifdef IVIT_TENSOR_REALS

/* By tensor cores, 8 words along K at once. */
template <typename Shape, typename Precision>
struct SumsTensor {
  enum { m = Shape::warp_rows / 16, n = Shape::warp_columns / 8 };

  TilePlace place = tile_place<Shape>();
  int left_offset[4];
  int right_offset[4];
  float r[m][n][4];

  IVIT_DEVICE SumsTensor() {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      left_offset[i] = offset(i, Shape::rows, place.row);
      right_offset[i] = offset(i, Shape::columns, place.column);
    }
#pragma unroll
    for (int i = 0; i < m; i++) {
#pragma unroll
      for (int j = 0; j < n; j++) {
#pragma unroll
        for (int k = 0; k < 4; k++) {
          r[i][j][k] = 0.0f;
        }
      }
    }
  }

  /* word_at of the lane's word below 4 and its place in the warp's i-th eight. */
  IVIT_DEVICE int offset(int i, int width, int from) const {
    int word = place.lane % 4;
    return word * width + from + place.lane / 4 + ((i ^ word) << 3);
  }

  /* The lane's word of a four of words at its place in an eight of places. */
  template <int WIDTH>
  IVIT_DEVICE static uint32_t take(
      Shared<uint32_t> tile, const int (&offsets)[4], int words, int eight) {
    return tile[offsets[(eight ^ words) & 3] + words * 4 * WIDTH + eight / 4 * 32];
  }

  IVIT_DEVICE void add(Shared<uint32_t> left, Shared<uint32_t> right) {
#pragma unroll
    for (int words = 0; words < PRODUCT_WORDS / 4; words += 2) {
      uint32_t b[n][2];
#pragma unroll
      for (int j = 0; j < n; j++) {
#pragma unroll
        for (int k = 0; k < 2; k++) {
          b[j][k] = take<Shape::columns>(right, right_offset, words + k, j);
        }
      }
#pragma unroll
      for (int i = 0; i < m; i++) {
        uint32_t a[4];
#pragma unroll
        for (int k = 0; k < 4; k++) {
          a[k] = take<Shape::rows>(left, left_offset, words + k / 2, 2 * i + k % 2);
        }
#pragma unroll
        for (int j = 0; j < n; j++) {
          Precision::multiply(r[i][j], a, b[j]);
        }
      }
    }
  }

  template <typename Write>
  IVIT_DEVICE void each(Write write) {
    products_done();
#pragma unroll
    for (int i = 0; i < m; i++) {
#pragma unroll
      for (int j = 0; j < n; j++) {
        int row = place.row + 16 * i + place.lane / 4;
        int column = place.column + 8 * j + place.lane % 4 * 2;
        write(row, column, r[i][j][0], r[i][j][1]);
        write(row + 8, column, r[i][j][2], r[i][j][3]);
      }
    }
  }
};

struct Tf32 {
  enum { pack = 1 };

  IVIT_DEVICE static uint32_t word(float v) { return tf32_of(v); }

  IVIT_DEVICE static void multiply(
      float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    multiply_tf32(c, a, b);
  }

  template <typename Shape>
  using Sums = SumsTensor<Shape, Tf32>;
};

struct Bf16 {
  enum { pack = 2 };

  IVIT_DEVICE static uint32_t word(float first, float second) { return bf16_of(first, second); }

  IVIT_DEVICE static void multiply(
      float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    multiply_bf16(c, a, b);
  }

  template <typename Shape>
  using Sums = SumsTensor<Shape, Bf16>;
};

#else

using Tf32 = Float32;
using Bf16 = Float32;

#endif

}  // namespace ivit
