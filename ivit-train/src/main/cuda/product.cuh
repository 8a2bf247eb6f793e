/* Batches of products of matrices to float32. */
#pragma once

#include "product_sums.cuh"

namespace ivit {

/*
 * C[z](m, n) = alpha * factor[n] * sum over k of A[z](m, k) * B[z](k, n), added to what C holds or not.
 * Matrix z is that of group z / heads and head z % heads. Strides are in elements.
 */
struct ProductArguments {
  Global<const unsigned char> a;
  Global<const unsigned char> b;
  Global<float> c;
  Global<const float> factor; /* [columns], or null */
  Global<float> partial;      /* [batch][splits][rows][columns] where K is split */
  int64_t a_group;
  int64_t a_head;
  int64_t b_group;
  int64_t b_head;
  int64_t c_group;
  int64_t c_head;
  int32_t a_stride; /* from one row of the matrix in memory to the next */
  int32_t b_stride;
  int32_t c_stride;
  int32_t rows;
  int32_t columns;
  int32_t depth;
  int32_t heads;
  int32_t first; /* matrix of the launch */
  int32_t splits;
  int32_t split_depth; /* a multiple of 32 */
  float alpha;
  int32_t options;
};

/* Whether fours of A and B and twos of C are aligned, and whether C is added to. */
enum { PRODUCT_A_WIDE = 1, PRODUCT_B_WIDE = 2, PRODUCT_C_WIDE = 4, PRODUCT_ADD = 8 };

struct alignas(8) Two {
  float r[2];
};

template <typename T>
IVIT_DEVICE Global<T> matrix(Global<T> first, int number, int heads, int64_t group, int64_t head) {
  return first + (number / heads * group + number % heads * head);
}

IVIT_DEVICE float scaled(const ProductArguments &a, int column, float sum) {
  float scale = present(a.factor) ? a.alpha * a.factor[column] : a.alpha;
  return scale * sum;
}

/* Two neighbours of C, or one where the row ends. */
IVIT_DEVICE void write_sums(
    const ProductArguments &a, Global<float> to, int column, float sum, float next) {
  bool add = (a.options & PRODUCT_ADD) != 0;
  Two v = {{scaled(a, column, sum), 0.0f}};
  if (column + 1 == a.columns) {
    *to = add ? *to + v.r[0] : v.r[0];
    return;
  }
  v.r[1] = scaled(a, column + 1, next);
  if (a.options & PRODUCT_C_WIDE) {
    if (add) {
      Two old = *as<Two>(to);
      v = Two{{old.r[0] + v.r[0], old.r[1] + v.r[1]}};
    }
    *as<Two>(to) = v;
  } else {
    to[0] = add ? to[0] + v.r[0] : v.r[0];
    to[1] = add ? to[1] + v.r[1] : v.r[1];
  }
}

/* Types of A and B, and whether their neighbours in memory are neighbours along K. */
template <typename TypeA, bool ALONG_A, typename TypeB, bool ALONG_B>
struct ProductForm {
  using A = TypeA;
  using B = TypeB;
  enum { a_along = ALONG_A, b_along = ALONG_B };
};

template <typename A, typename B>
using ProductNn = ProductForm<A, true, B, false>;

template <typename A, typename B>
using ProductNt = ProductForm<A, true, B, true>;

template <typename A, typename B>
using ProductTn = ProductForm<A, false, B, false>;

template <typename Form, typename Precision, typename Shape>
IVIT_DEVICE void product(const ProductArguments &a) {
  int number = a.first + (int)blockIdx.z / a.splits;
  int split = (int)blockIdx.z % a.splits;
  int first_row = (int)blockIdx.y * Shape::rows;
  int first_column = (int)blockIdx.x * Shape::columns;

  Operand<typename Form::A, Form::a_along, Precision, Shape::rows, Shape::threads> left;
  left.from = matrix(as<const typename Form::A>(a.a), number, a.heads, a.a_group, a.a_head)
      + (Form::a_along ? (int64_t)first_row * a.a_stride : first_row);
  left.stride = a.a_stride;
  left.valid = a.rows - first_row;
  left.wide = (a.options & PRODUCT_A_WIDE) != 0;

  Operand<typename Form::B, Form::b_along, Precision, Shape::columns, Shape::threads> right;
  right.from = matrix(as<const typename Form::B>(a.b), number, a.heads, a.b_group, a.b_head)
      + (Form::b_along ? (int64_t)first_column * a.b_stride : first_column);
  right.stride = a.b_stride;
  right.valid = a.columns - first_column;
  right.wide = (a.options & PRODUCT_B_WIDE) != 0;

  Shared<uint32_t> full = as<uint32_t>(shared_memory());
  Shared<uint32_t> empty = full + Shape::tile_words;
  const int tile_depth = PRODUCT_WORDS * Precision::pack;
  int depth = split * a.split_depth;
  int end = a.depth - depth < a.split_depth ? a.depth : depth + a.split_depth;

  typename Precision::template Sums<Shape> sums;
  /* A tile is multiplied while the next one is on its way. */
#pragma unroll 1
  for (int tile = depth; tile - tile_depth < end; tile += tile_depth) {
    if (tile < end) {
      left.load(tile, end);
      right.load(tile, end);
    }
    if (tile > depth) {
      sums.add(full, full + Shape::rows * PRODUCT_WORDS);
    }
    if (tile < end) {
      /* Every warp left this stage before the last barrier. */
      left.store(empty);
      right.store(empty + Shape::rows * PRODUCT_WORDS);
    }
    Shared<uint32_t> filled = empty;
    empty = full;
    full = filled;
    block_barrier();
  }

  if (a.splits > 1) {
    Global<float> to =
        a.partial + ((int64_t)number * a.splits + split) * a.rows * (int64_t)a.columns;
    sums.each([&](int row, int column, float sum, float next) {
      int i = first_row + row;
      int j = first_column + column;
      if (i < a.rows && j < a.columns) {
        Global<float> at = to + ((int64_t)i * a.columns + j);
        at[0] = sum;
        if (j + 1 < a.columns) {
          at[1] = next;
        }
      }
    });
    return;
  }
  Global<float> to = matrix(a.c, number, a.heads, a.c_group, a.c_head);
  sums.each([&](int row, int column, float sum, float next) {
    int i = first_row + row;
    int j = first_column + column;
    if (i < a.rows && j < a.columns) {
      write_sums(a, to + ((int64_t)i * a.c_stride + j), j, sum, next);
    }
  });
}

}  // namespace ivit

#define IVIT_PRODUCT(form, Form, precision, Precision, size, Shape, blocks)                    \
  IVIT_KERNEL(ivit::Shape::threads, blocks)                                                    \
  product_##form##_##precision##_##size(IVIT_ARGUMENTS(ivit::ProductArguments) a) {            \
    ivit::product<Form, ivit::Precision, ivit::Shape>(a);                                      \
  }

#define IVIT_PRODUCTS_OF(form, Form, precision, Precision)                                     \
  IVIT_PRODUCT(form, Form, precision, Precision, large, LargeProduct, 2)                       \
  IVIT_PRODUCT(form, Form, precision, Precision, small, SmallProduct, 4)

#define IVIT_PRODUCTS(layout, Layout, a, A, b, B)                                              \
  using Product_##layout##_##a##_##b = ivit::Layout<A, B>;                                     \
  IVIT_PRODUCTS_OF(layout##_##a##_##b, Product_##layout##_##a##_##b, float32, Float32)         \
  IVIT_PRODUCTS_OF(layout##_##a##_##b, Product_##layout##_##a##_##b, tf32, Tf32)               \
  IVIT_PRODUCTS_OF(layout##_##a##_##b, Product_##layout##_##a##_##b, bf16, Bf16)

IVIT_PRODUCTS(nn, ProductNn, real, float, real, float)
IVIT_PRODUCTS(nn, ProductNn, real, float, code8, int8_t)
IVIT_PRODUCTS(nt, ProductNt, real, float, real, float)
IVIT_PRODUCTS(nt, ProductNt, real, float, code8, int8_t)
IVIT_PRODUCTS(tn, ProductTn, real, float, real, float)
IVIT_PRODUCTS(tn, ProductTn, real, float, code8, int8_t)
IVIT_PRODUCTS(tn, ProductTn, code16, int16_t, real, float)
