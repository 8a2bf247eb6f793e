/* Normalised pixels to rows of 8-bit codes of patches, and their extremes. */
#pragma once

#include "extremes.cuh"
#include "patch_place.cuh"

namespace ivit {

struct PixelArguments {
  Global<const float> pixels; /* [pictures][3][height][width] */
  Global<int8_t> codes;       /* [pictures * patches][3 * patch * patch] */
  Global<uint64_t> extremes;  /* ordered bits of the least and the largest pixel; or null */
  PatchGrid grid;
  float reciprocal;
  int32_t unused;
};

/* §1: the nearest code, ties to even. */
IVIT_DEVICE int32_t code8(float value, float reciprocal) {
  float code = rint_of(value * reciprocal);
  return code < -128.0f ? -128 : code > 127.0f ? 127 : (int32_t)code;
}

}  // namespace ivit

/* Shared memory: EXTREMES_BYTES. */
IVIT_KERNEL(256, 4) patches_observed(IVIT_ARGUMENTS(ivit::PixelArguments) a) {
  float least = ivit::INFINITE;
  float largest = -ivit::INFINITE;
  bool wide = ivit::wide<4>(a.pixels, a.codes);
  ivit::each_pixel<4>(a.grid, wide, [&](int64_t from, int64_t to, auto n) {
    constexpr int N = decltype(n)::width;
    auto pixels = ivit::load<N>(a.pixels + from);
    ivit::Some<int8_t, N> codes;
#pragma unroll
    for (int k = 0; k < N; k++) {
      float value = at(pixels, k);
      least = value < least ? value : least;
      largest = value > largest ? value : largest;
      put(codes, k, (int8_t)ivit::code8(value, a.reciprocal));
    }
    ivit::store(a.codes + to, codes);
  });
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_block(a.extremes, least, largest);
  }
}
