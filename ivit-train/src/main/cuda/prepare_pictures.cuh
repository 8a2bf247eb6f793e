/*
 * Bytes of pictures to what a network reads: normalised, erased and mixed with the partner, as
 * PlannedPictures does it in Java, in every bit. A thread a pixel.
 */
#pragma once

#include "reals.cuh"

namespace ivit {

struct Mix {
  float own; /* factors of a blend */
  float rest;
  int32_t blends; /* or else the rectangle comes from the partner */
  int32_t top;
  int32_t bottom;
  int32_t left;
  int32_t right;
  int32_t unused;
};

struct Erasure {
  int32_t top;
  int32_t left;
  int32_t height;
  int32_t width;
  int32_t values; /* first of [3], or of [3][height][width] */
  int32_t per_pixel;
};

struct PictureArguments {
  Global<const uint8_t> bytes; /* [pictures][height][width][3] */
  Global<const Mix> mixes;     /* [pictures] */
  Global<const int32_t> first; /* [pictures + 1]: where the erasures of a picture begin */
  Global<const Erasure> erasures;
  Global<const float> values;
  Global<float> pixels; /* [pictures][3][height][width] */
  int64_t count;        /* pixels of all pictures */
  float mean[3];
  float deviation[3];
  int32_t height;
  int32_t width;
  int32_t pictures;
  int32_t unused;
};

struct PixelPlace {
  int picture, y, x;
};

IVIT_DEVICE bool inside(const Erasure &e, PixelPlace at) {
  return at.y >= e.top && at.y < e.top + e.height && at.x >= e.left && at.x < e.left + e.width;
}

IVIT_DEVICE bool inside(const Mix &m, PixelPlace at) {
  return at.y >= m.top && at.y < m.bottom && at.x >= m.left && at.x < m.right;
}

/* The three channels before mixing. */
IVIT_DEVICE void read_pixel(const PictureArguments &a, PixelPlace at, float (&value)[3]) {
  auto bytes = a.bytes + (((int64_t)at.picture * a.height + at.y) * a.width + at.x) * 3;
  for (int c = 0; c < 3; c++) {
    value[c] = ((float)bytes[c] / 255.0f - a.mean[c]) / a.deviation[c];
  }
  for (int i = a.first[at.picture]; i < a.first[at.picture + 1]; i++) {
    Erasure e = a.erasures[i];
    if (inside(e, at)) {
      int step = e.per_pixel != 0 ? e.height * e.width : 1;
      int from = e.per_pixel != 0 ? (at.y - e.top) * e.width + at.x - e.left : 0;
      for (int c = 0; c < 3; c++) {
        value[c] = a.values[e.values + c * step + from];
      }
    }
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 4) prepare_pictures(IVIT_ARGUMENTS(ivit::PictureArguments) a) {
  int area = a.height * a.width;
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    int pixel = (int)(i % area);
    ivit::PixelPlace at{(int)(i / area), pixel / a.width, pixel % a.width};
    ivit::PixelPlace partner{a.pictures - 1 - at.picture, at.y, at.x};
    ivit::Mix mix = a.mixes[at.picture];
    float value[3];
    float other[3];
    if (mix.blends != 0) {
      ivit::read_pixel(a, at, value);
      ivit::read_pixel(a, partner, other);
      for (int c = 0; c < 3; c++) {
        value[c] = value[c] * mix.own + other[c] * mix.rest;
      }
    } else {
      ivit::read_pixel(a, ivit::inside(mix, at) ? partner : at, value);
    }
    for (int c = 0; c < 3; c++) {
      a.pixels[((int64_t)at.picture * 3 + c) * area + pixel] = value[c];
    }
  }
}
