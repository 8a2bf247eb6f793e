/*
 * Products of matrices of reals, or of codes read as reals, for the backward pass:
 * C = alpha * factor(column) * A * B (+ C). A block computes a tile of C; sums over K are taken in
 * one order, or in parts that product_parts adds up, so results do not change from run to run.
 */
#pragma once

#include "reals.cuh"

namespace ivit {

/* A matrix of a batch of them: one a group and head. */
struct Batched {
  int64_t group_stride; /* elements */
  int64_t head_stride;
  int64_t row_stride;
};

struct ProductArguments {
  Global<const unsigned char> a;
  Global<const unsigned char> b;
  Global<float> c;
  Global<float> parts;         /* [gridDim.z][m][n], where K is split; or null */
  Global<const float> factors; /* by column of C; or null */
  Batched a_at;
  Batched b_at;
  Batched c_at;
  int32_t m;
  int32_t n;
  int64_t k;
  int64_t k_a_part; /* where K is split: a multiple of the tile's depth */
  int32_t heads;
  int32_t first; /* of the batch */
  float alpha;
  int32_t added; /* whether to add to C */
};

/* Which of an operand's indices runs along its rows in memory: NN A[m][k] B[k][n], NT B[n][k], TN A[k][m]. */
enum class Layout { NN, NT, TN };

template <int ROWS, int COLUMNS, int DEPTH_>
struct ProductShape {
  enum {
    rows = ROWS,
    columns = COLUMNS,
    depth = DEPTH_,
    threads = 256,
    across = 16,
    m = ROWS / 16,
    n = COLUMNS / 16
  };
};

using LargeProduct = ProductShape<128, 128, 16>;
using SmallProduct = ProductShape<64, 64, 16>;

IVIT_DEVICE int64_t place_in(const Batched &at, int z, int heads) {
  return z / heads * at.group_stride + z % heads * at.head_stride;
}

/*
 * A tile of an operand to shared memory as reals, [depth][SIZE]. ALONG_K: its rows in memory run along
 * K. What lies outside is 0.
 */
template <int SIZE, int DEPTH_, bool ALONG_K, typename T>
IVIT_DEVICE void load_operand(
    Global<const T> from, int64_t row_stride, int first, int end, int64_t first_k, int64_t end_k,
    Shared<float> to) {
  for (int i = (int)threadIdx.x; i < SIZE * DEPTH_; i += 256) {
    int place = ALONG_K ? i / DEPTH_ : i % SIZE;
    int k = ALONG_K ? i % DEPTH_ : i / SIZE;
    bool valid = first + place < end && first_k + k < end_k;
    float v = 0;
    if (valid) {
      v = ALONG_K ? (float)from[(int64_t)(first + place) * row_stride + first_k + k]
                  : (float)from[(first_k + k) * row_stride + first + place];
    }
    to[k * (SIZE + 4) + place] = v;
  }
}

/* Shared memory: a stage of A, then one of B. */
template <typename Shape, Layout LAYOUT, typename A, typename B>
IVIT_DEVICE void product(const ProductArguments &p) {
  Shared<float> tile_a = as<float>(shared_memory());
  Shared<float> tile_b = tile_a + Shape::depth * (Shape::rows + 4);
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;
  bool split = present(p.parts);
  int z = split ? 0 : p.first + (int)blockIdx.z;
  auto from_a = as<const A>(p.a) + place_in(p.a_at, z, p.heads);
  auto from_b = as<const B>(p.b) + place_in(p.b_at, z, p.heads);
  int64_t begin = split ? (int64_t)blockIdx.z * p.k_a_part : 0;
  int64_t end = split && begin + p.k_a_part < p.k ? begin + p.k_a_part : p.k;
  int row = (int)threadIdx.x / Shape::across * Shape::m;
  int column = (int)threadIdx.x % Shape::across * Shape::n;
  float acc[Shape::m][Shape::n];
#pragma unroll
  for (int i = 0; i < Shape::m; i++) {
#pragma unroll
    for (int j = 0; j < Shape::n; j++) {
      acc[i][j] = 0;
    }
  }
#pragma unroll 1
  for (int64_t k = begin; k < end; k += Shape::depth) {
    load_operand<Shape::rows, Shape::depth, LAYOUT != Layout::TN, A>(
        from_a, p.a_at.row_stride, first_row, p.m, k, end, tile_a);
    load_operand<Shape::columns, Shape::depth, LAYOUT == Layout::NT, B>(
        from_b, p.b_at.row_stride, first_column, p.n, k, end, tile_b);
    block_barrier();
#pragma unroll
    for (int step = 0; step < Shape::depth; step++) {
      float left[Shape::m];
      float right[Shape::n];
#pragma unroll
      for (int i = 0; i < Shape::m; i++) {
        left[i] = tile_a[step * (Shape::rows + 4) + row + i];
      }
#pragma unroll
      for (int j = 0; j < Shape::n; j++) {
        right[j] = tile_b[step * (Shape::columns + 4) + column + j];
      }
#pragma unroll
      for (int i = 0; i < Shape::m; i++) {
#pragma unroll
        for (int j = 0; j < Shape::n; j++) {
          acc[i][j] = fused(left[i], right[j], acc[i][j]);
        }
      }
    }
    block_barrier();
  }
  auto to = split ? p.parts + (int64_t)blockIdx.z * p.m * p.n
                  : p.c + place_in(p.c_at, z, p.heads);
  int64_t stride = split ? p.n : p.c_at.row_stride;
#pragma unroll
  for (int i = 0; i < Shape::m; i++) {
#pragma unroll
    for (int j = 0; j < Shape::n; j++) {
      int r = first_row + row + i;
      int c = first_column + column + j;
      if (r < p.m && c < p.n) {
        int64_t at = r * stride + c;
        if (split) {
          to[at] = acc[i][j];
        } else {
          float v = acc[i][j] * p.alpha;
          v = present(p.factors) ? v * p.factors[c] : v;
          to[at] = p.added ? to[at] + v : v;
        }
      }
    }
  }
}

}  // namespace ivit

/* The parts of K in order. */
IVIT_KERNEL(256, 4) product_parts(IVIT_ARGUMENTS(ivit::ProductArguments) p) {
  int64_t size = (int64_t)p.m * p.n;
  int parts = (int)((p.k + p.k_a_part - 1) / p.k_a_part);
  for (int64_t i = ivit::thread_number(); i < size; i += ivit::thread_count()) {
    float sum = 0;
    for (int part = 0; part < parts; part++) {
      sum += p.parts[part * size + i];
    }
    float v = sum * p.alpha;
    v = ivit::present(p.factors) ? v * p.factors[i % p.n] : v;
    int64_t at = i / p.n * p.c_at.row_stride + i % p.n;
    p.c[at] = p.added ? p.c[at] + v : v;
  }
}

#define IVIT_PRODUCT(name, layout, A, B)                                                     \
  IVIT_KERNEL(256, 2) product_##name##_large(IVIT_ARGUMENTS(ivit::ProductArguments) p) {     \
    ivit::product<ivit::LargeProduct, ivit::Layout::layout, A, B>(p);                        \
  }                                                                                          \
  IVIT_KERNEL(256, 4) product_##name##_small(IVIT_ARGUMENTS(ivit::ProductArguments) p) {     \
    ivit::product<ivit::SmallProduct, ivit::Layout::layout, A, B>(p);                        \
  }

IVIT_PRODUCT(nn_real_real, NN, float, float)
IVIT_PRODUCT(nn_real_code8, NN, float, int8_t)
IVIT_PRODUCT(nt_real_code8, NT, float, int8_t)
IVIT_PRODUCT(tn_real_code8, TN, float, int8_t)
IVIT_PRODUCT(tn_code16_real, TN, int16_t, float)
IVIT_PRODUCT(tn_real_real, TN, float, float)
