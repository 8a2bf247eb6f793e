/* Numbers times a factor, one for all pictures and one a picture, spread over tokens or not. */
#pragma once

#include "walk.cuh"

namespace ivit {

struct ScaleArguments {
  Global<const float> from;
  Global<float> to;
  Global<const float> factors; /* by picture; or null */
  int64_t pictures;
  Divisor of_size;
  Divisor of_channels;         /* where a picture's row is spread */
  int32_t size;                /* numbers written of a picture */
  int32_t channels;            /* where a picture's row is spread: its length; otherwise 0 */
  float factor;
  int32_t first; /* the first numbers written of a picture, which are 0 */
};

}  // namespace ivit

IVIT_KERNEL(256, 4) scale_pictures(IVIT_ARGUMENTS(ivit::ScaleArguments) a) {
  int size = a.channels == 0 ? a.size : a.channels;
  bool wide = ivit::wide<4>(a.from, a.to) && size % 4 == 0 && a.first % 4 == 0;
  if (a.channels == 0 && a.first == 0 && !ivit::present(a.factors)) {
    ivit::each_element<4>(a.pictures * a.size, ivit::wide<4>(a.from, a.to), [&](int64_t i, auto n) {
      auto v = ivit::load<decltype(n)::width>(a.from + i);
#pragma unroll
      for (int k = 0; k < decltype(n)::width; k++) {
        put(v, k, at(v, k) * a.factor);
      }
      ivit::store(a.to + i, v);
    });
    return;
  }
  ivit::each_column<4>(a.pictures, a.size, a.of_size, wide, [&](int place, auto n) {
    int row = a.channels == 0 ? 0 : (int)ivit::divide((uint32_t)place, a.of_channels);
    int column = place - row * a.channels;
    return [=, &a](int64_t picture) {
      constexpr int N = decltype(n)::width;
      float factor = ivit::present(a.factors) ? a.factor * a.factors[picture] : a.factor;
      ivit::Some<float, N> to = {};
      if (place >= a.first) {
        auto from = ivit::load<N>(a.from + (picture * size + column));
#pragma unroll
        for (int k = 0; k < N; k++) {
          put(to, k, at(from, k) * factor);
        }
      }
      ivit::store(a.to + (picture * a.size + place), to);
    };
  });
}
