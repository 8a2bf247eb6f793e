/* Normalised pixels to rows of 8-bit codes of patches, and their extremes. */
#pragma once

#include "extremes.cuh"
#include "patch_place.cuh"

namespace ivit {

struct PixelArguments {
  Global<const float> pixels; /* [pictures][3][height][width] */
  Global<int8_t> codes;       /* [pictures * patches][3 * patch * patch] */
  Global<uint64_t> extremes;  /* ordered bits of the least and the largest pixel; or null */
  int64_t count;              /* pixels of all pictures */
  int32_t height;
  int32_t width;
  int32_t patch;
  float reciprocal;
};

/* §1: the nearest code, ties to even. */
IVIT_DEVICE int32_t code8(float value, float reciprocal) {
  float code = rint_of(value * reciprocal);
  return code < -128.0f ? -128 : code > 127.0f ? 127 : (int32_t)code;
}

}  // namespace ivit

IVIT_KERNEL(256, 4) patches_observed(IVIT_ARGUMENTS(ivit::PixelArguments) a) {
  float least = ivit::INFINITE;
  float largest = -ivit::INFINITE;
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float value = a.pixels[i];
    least = value < least ? value : least;
    largest = value > largest ? value : largest;
    a.codes[ivit::patch_place(i, a.height, a.width, a.patch)] =
        (int8_t)ivit::code8(value, a.reciprocal);
  }
  if (ivit::present(a.extremes)) {
    ivit::extremes_of_warp(a.extremes, least, largest);
  }
}
