/* What surrounds the products of a network in floating point: patches, tokens, sums, means. */
#pragma once

#include "patch_place.cuh"

namespace ivit {

struct UnfoldArguments {
  Global<const float> pixels; /* [pictures][3][height][width] */
  Global<float> to;           /* [pictures * patches][3 * patch * patch] */
  PatchGrid grid;
};

struct RealEmbedArguments {
  Global<const float> patches;   /* [pictures][tokens - leading][dim] */
  Global<const float> leading;   /* tokens before the patches, [leading][dim] */
  Global<const float> positions; /* from number `without` of a picture on; or null */
  Global<float> to;              /* [pictures][tokens][dim] */
  int64_t pictures;
  Divisor of_size;
  int32_t size;    /* of a picture: tokens * dim */
  int32_t first;   /* numbers of the leading tokens */
  int32_t without; /* numbers of the leading tokens that have no position */
  int32_t unused;
};

struct FillRowsArguments {
  Global<const float> row; /* [columns] */
  Global<float> to;        /* [rows][columns] */
  int64_t rows;
  Divisor of_columns;
  int32_t columns;
  int32_t unused;
};

struct AddArguments {
  Global<const float> identity;
  Global<const float> branch;
  Global<float> to;
  Global<const float> factors; /* of the branch, by picture; or null for 1 */
  int64_t pictures;
  Divisor of_size;
  int32_t size; /* of a picture */
  int32_t unused;
};

/* N sums from the i-th on. */
template <int N>
IVIT_DEVICE void add_scaled(const AddArguments &a, int64_t i, float factor) {
  auto branch = load<N>(a.branch + i);
  auto to = load<N>(a.identity + i);
#pragma unroll
  for (int k = 0; k < N; k++) {
    put(to, k, at(to, k) + factor * at(branch, k));
  }
  store(a.to + i, to);
}

struct RealPoolArguments {
  Global<const float> from; /* [pictures][tokens][channels] */
  Global<float> to;         /* [pictures][channels] */
  Divisor of_channels;
  int32_t pictures;
  int32_t tokens;
  int32_t leading; /* the first tokens, which take no part */
  int32_t channels;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) unfold_reals(IVIT_ARGUMENTS(ivit::UnfoldArguments) a) {
  ivit::each_pixel<4>(a.grid, ivit::wide<4>(a.pixels, a.to), [&](int64_t from, int64_t to, auto n) {
    ivit::store(a.to + to, ivit::load<decltype(n)::width>(a.pixels + from));
  });
}

IVIT_KERNEL(256, 4) embed_reals(IVIT_ARGUMENTS(ivit::RealEmbedArguments) a) {
  bool wide = ivit::wide<4>(a.patches, a.to) && a.first % 4 == 0;
  ivit::each_column<4>(a.pictures, a.size, a.of_size, wide, [&](int place, auto n) {
    constexpr int N = decltype(n)::width;
    bool leads = place < a.first;
    ivit::Some<float, N> leading = {};
    ivit::Some<float, N> positions = {};
    bool positioned[N];
#pragma unroll
    for (int k = 0; k < N; k++) {
      positioned[k] = ivit::present(a.positions) && place + k >= a.without;
      put(positions, k, positioned[k] ? a.positions[place + k - a.without] : 0.0f);
      put(leading, k, leads ? a.leading[place + k] : 0.0f);
    }
    return [=, &a](int64_t picture) {
      auto value = leading;
      if (!leads) {
        value = ivit::load<N>(a.patches + (picture * (a.size - a.first) + (place - a.first)));
      }
#pragma unroll
      for (int k = 0; k < N; k++) {
        put(value, k, positioned[k] ? at(value, k) + at(positions, k) : at(value, k));
      }
      ivit::store(a.to + (picture * a.size + place), value);
    };
  });
}

IVIT_KERNEL(256, 4) fill_rows(IVIT_ARGUMENTS(ivit::FillRowsArguments) a) {
  ivit::each_column<4>(a.rows, a.columns, a.of_columns, ivit::wide<4>(a.to), [&](int c, auto n) {
    constexpr int N = decltype(n)::width;
    ivit::Some<float, N> values;
#pragma unroll
    for (int k = 0; k < N; k++) {
      put(values, k, a.row[c + k]);
    }
    return [=, &a](int64_t row) { ivit::store(a.to + (row * a.columns + c), values); };
  });
}

IVIT_KERNEL(256, 4) add_branch(IVIT_ARGUMENTS(ivit::AddArguments) a) {
  bool wide = ivit::wide<4>(a.identity, a.branch, a.to);
  if (!ivit::present(a.factors)) {
    ivit::each_element<4>(a.pictures * a.size, wide, [&](int64_t i, auto n) {
      ivit::add_scaled<decltype(n)::width>(a, i, 1.0f);
    });
    return;
  }
  ivit::each_column<4>(a.pictures, a.size, a.of_size, wide, [&](int place, auto n) {
    return [=, &a](int64_t picture) {
      ivit::add_scaled<decltype(n)::width>(a, picture * a.size + place, a.factors[picture]);
    };
  });
}

IVIT_KERNEL(256, 4) pool_reals(IVIT_ARGUMENTS(ivit::RealPoolArguments) a) {
  /* Few numbers come out: a thread each, or there were too few threads. */
  ivit::each_column<1>(a.pictures, a.channels, a.of_channels, true, [&](int c, auto) {
    return [=, &a](int64_t picture) {
      auto from = a.from + (picture * a.tokens * a.channels + c);
      double sum = 0;
#pragma unroll 4
      for (int t = a.leading; t < a.tokens; t++) {
        sum += from[(int64_t)t * a.channels];
      }
      a.to[picture * a.channels + c] = (float)(sum / (a.tokens - a.leading));
    };
  });
}
