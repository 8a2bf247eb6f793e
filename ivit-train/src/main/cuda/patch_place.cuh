/* Where a pixel lies among the rows of patches. */
#pragma once

#include "reals.cuh"

namespace ivit {

/*
 * The element of [pictures * patches][3 * patch * patch] of the pixel at element `i` of
 * [pictures][3][height][width].
 */
IVIT_DEVICE int64_t patch_place(int64_t i, int height, int width, int patch) {
  int across = width / patch;
  int down = height / patch;
  int area = height * width;
  int64_t plane = i / area;
  int pixel = (int)(i % area);
  int y = pixel / width;
  int x = pixel % width;
  int64_t row = plane / 3 * (down * across) + y / patch * across + x / patch;
  int column = ((int)(plane % 3) * patch + y % patch) * patch + x % patch;
  return row * (3 * patch * patch) + column;
}

}  // namespace ivit
