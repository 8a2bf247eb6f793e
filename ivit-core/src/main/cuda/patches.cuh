/* Pictures to rows of patches, by the pixel table, and the leading tokens' constants. */
#pragma once

#include "divide.cuh"
#include "platform.cuh"

namespace ivit {

/*
 * A row of a patch holds (channel, row, column). Strides say whether pictures are planes of codes or
 * interleaved pixels.
 */
struct PatchArguments {
  Global<const uint8_t> pixels; /* [pictures][picture_stride] in the order of the strides */
  Global<const int8_t> table;   /* code of each value, [3][256] */
  Global<int8_t> patches;       /* [pictures * lines * columns][output_stride] */
  Divisor line_divisor;         /* of lines */
  Divisor column_divisor;       /* of columns */
  Divisor patch_divisor;
  Divisor area_divisor; /* of patch * patch */
  int32_t rows;
  int32_t patch;
  int32_t lines;   /* patches of a picture from top to bottom */
  int32_t columns; /* patches from left to right */
  int32_t picture_stride;
  int32_t channel_stride;
  int32_t row_stride;
  int32_t pixel_stride;
  int32_t output_stride;
  int32_t unused;
};

struct LeadingArguments {
  Global<const int16_t> constants; /* [leading * stride] */
  Global<int16_t> stream;          /* [pictures][tokens * stride] */
  int64_t picture_stride;          /* elements */
  int32_t length;                  /* leading * stride */
  int32_t unused;
};

}  // namespace ivit

/* A block a patch. */
IVIT_KERNEL(128, 8) unfold_patches(IVIT_ARGUMENTS(ivit::PatchArguments) a) {
  ivit::await_previous_grid();
  int row = (int)blockIdx.x;
  int all_lines = (int)ivit::divide((uint32_t)row, a.column_divisor);
  int column = row - all_lines * a.columns;
  int picture = (int)ivit::divide((uint32_t)all_lines, a.line_divisor);
  int line = all_lines - picture * a.lines;
  auto from = a.pixels + (int64_t)picture * a.picture_stride
      + (line * a.patch * a.row_stride + column * a.patch * a.pixel_stride);
  auto to = a.patches + (int64_t)row * a.output_stride;
  int area = a.patch * a.patch;
  for (int i = (int)threadIdx.x; i < 3 * area; i += 128) {
    int channel = (int)ivit::divide((uint32_t)i, a.area_divisor);
    int inside = i - channel * area;
    int y = (int)ivit::divide((uint32_t)inside, a.patch_divisor);
    int x = inside - y * a.patch;
    int value = from[channel * a.channel_stride + y * a.row_stride + x * a.pixel_stride];
    to[i] = a.table[256 * channel + value];
  }
}

/* The class token, and the distillation token, with their positions: the same in every picture. */
IVIT_KERNEL(128, 8) leading_tokens(IVIT_ARGUMENTS(ivit::LeadingArguments) a) {
  ivit::await_previous_grid();
  auto to = a.stream + (int64_t)blockIdx.x * a.picture_stride;
  for (int i = (int)threadIdx.x; i < a.length; i += 128) {
    to[i] = a.constants[i];
  }
}
