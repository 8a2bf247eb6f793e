/* Where a pixel lies among the rows of patches. */
#pragma once

#include "reals.cuh"

namespace ivit {

/*
 * The element of [pictures * patches][3 * patch * patch] of the pixel at element `i` of
 * [pictures][3][image][image].
 */
IVIT_DEVICE int64_t patch_place(int64_t i, int image, int patch) {
  int side = image / patch;
  int area = image * image;
  int64_t plane = i / area;
  int pixel = (int)(i % area);
  int y = pixel / image;
  int x = pixel % image;
  int64_t row = plane / 3 * (side * side) + y / patch * side + x / patch;
  int column = ((int)(plane % 3) * patch + y % patch) * patch + x % patch;
  return row * (3 * patch * patch) + column;
}

}  // namespace ivit
