/* Codes as reals, and in a wider type. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct DequantizeArguments {
  Global<const int8_t> codes;  /* [rows][length] */
  Global<const float> scales;  /* by row */
  Global<float> to;            /* [rows][length] */
  int64_t rows;
  Divisor of_length;
  int32_t length;
  int32_t unused;
};

struct CodesArguments {
  Global<const int8_t> codes;  /* [rows][columns] */
  Global<const float> factors; /* by column; or null */
  Global<float> to;            /* [rows][columns] */
  int64_t rows;
  Divisor of_columns;
  int32_t columns;
  int32_t unused;
};

struct WidenArguments {
  Global<const unsigned char> codes;
  Global<unsigned char> to;
  int64_t count;
};

/* N at once. */
template <int N, typename From, typename To>
IVIT_DEVICE void widen_codes(const WidenArguments &a) {
  auto codes = as<const From>(a.codes);
  auto to = as<To>(a.to);
  each_element<N>(a.count, wide<N>(codes, to), [&](int64_t i, auto n) {
    auto narrow = load<decltype(n)::width>(codes + i);
    Some<To, decltype(n)::width> out;
#pragma unroll
    for (int k = 0; k < decltype(n)::width; k++) {
      put(out, k, (To)at(narrow, k));
    }
    store(to + i, out);
  });
}

}  // namespace ivit

IVIT_KERNEL(256, 4) dequantize_rows(IVIT_ARGUMENTS(ivit::DequantizeArguments) a) {
  bool wide = ivit::wide<4>(a.codes, a.to);
  ivit::each_column<4>(a.rows, a.length, a.of_length, wide, [&](int c, auto n) {
    return [=, &a](int64_t row) {
      constexpr int N = decltype(n)::width;
      int64_t i = row * a.length + c;
      float scale = a.scales[row];
      auto codes = ivit::load<N>(a.codes + i);
      ivit::Some<float, N> to;
#pragma unroll
      for (int k = 0; k < N; k++) {
        put(to, k, at(codes, k) * scale);
      }
      ivit::store(a.to + i, to);
    };
  });
}

IVIT_KERNEL(256, 4) widen_codes_8(IVIT_ARGUMENTS(ivit::WidenArguments) a) {
  ivit::widen_codes<8, int8_t, int16_t>(a);
}

/* To an answer. */
IVIT_KERNEL(256, 4) widen_codes_16(IVIT_ARGUMENTS(ivit::WidenArguments) a) {
  ivit::widen_codes<4, int16_t, int32_t>(a);
}

IVIT_KERNEL(256, 4) codes_to_reals(IVIT_ARGUMENTS(ivit::CodesArguments) a) {
  bool wide = ivit::wide<4>(a.codes, a.to);
  ivit::each_column<4>(a.rows, a.columns, a.of_columns, wide, [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    bool scaled = ivit::present(a.factors);
    ivit::Some<float, N> factors;
#pragma unroll
    for (int k = 0; k < N; k++) {
      put(factors, k, scaled ? a.factors[c + k] : 1.0f);
    }
    return [=, &a](int64_t row) {
      int64_t i = row * a.columns + c;
      auto codes = ivit::load<N>(a.codes + i);
      ivit::Some<float, N> to;
#pragma unroll
      for (int k = 0; k < N; k++) {
        put(to, k, at(codes, k) * at(factors, k));
      }
      ivit::store(a.to + i, to);
    };
  });
}
