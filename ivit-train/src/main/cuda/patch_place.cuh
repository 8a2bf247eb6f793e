/* Where pixels lie among the rows of patches. */
#pragma once

#include "walk.cuh"

namespace ivit {

/* [pictures][3][height][width] as [pictures * patches][3 * patch * patch]. */
struct PatchGrid {
  int64_t planes; /* three a picture */
  Divisor of_area;
  Divisor of_width;
  Divisor of_patch;
  int32_t height;
  int32_t width;
  int32_t patch;
  int32_t unused;
};

/*
 * body(from, to, Width<n>()) for n pixels of a row of a patch, elements of pictures from the first
 * and of patches from the second on.
 */
template <int N, typename Body>
IVIT_DEVICE void each_pixel(const PatchGrid &g, bool wide, Body body) {
  int area = g.height * g.width;
  bool whole = wide && g.patch % N == 0;
  each_column<N>(g.planes, area, g.of_area, whole, [&](int pixel, auto n) {
    int across = (int)divide((uint32_t)g.width, g.of_patch);
    int down = (int)divide((uint32_t)g.height, g.of_patch);
    int y = (int)divide((uint32_t)pixel, g.of_width);
    int x = pixel - y * g.width;
    int patch_y = (int)divide((uint32_t)y, g.of_patch);
    int patch_x = (int)divide((uint32_t)x, g.of_patch);
    int row = patch_y * across + patch_x;
    int column = (y - patch_y * g.patch) * g.patch + x - patch_x * g.patch;
    int patches = down * across;
    return [=, &g, &body](int64_t plane) {
      uint32_t picture = (uint32_t)plane / 3;
      int channel = (int)((uint32_t)plane - 3 * picture);
      int64_t to = ((int64_t)picture * patches + row) * (3 * g.patch * g.patch)
          + (channel * g.patch * g.patch + column);
      body(plane * area + pixel, to, n);
    };
  });
}

}  // namespace ivit
