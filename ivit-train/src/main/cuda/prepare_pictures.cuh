/*
 * Bytes of pictures to what a network reads: normalised, erased and mixed with the partner, as
 * PlannedPictures does it in Java, in every bit.
 */
#pragma once

#include "walk.cuh"

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
  Divisor of_area;
  Divisor of_width;
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

/* The bytes of N pixels. */
template <int N>
struct PixelBytes {
  Some<uint8_t, N> part[3];

  IVIT_DEVICE explicit PixelBytes(Global<const uint8_t> from) {
#pragma unroll
    for (int i = 0; i < 3; i++) {
      part[i] = load<N>(from + i * N);
    }
  }

  IVIT_DEVICE float at(int pixel, int channel) const {
    int i = 3 * pixel + channel;
    return (float)ivit::at(part[i / N], i % N);
  }
};

/* The three channels of N neighbours before mixing. */
template <int N>
IVIT_DEVICE void read_pixels(const PictureArguments &a, PixelPlace at, float (&value)[3][N]) {
  PixelBytes<N> bytes(a.bytes + (((int64_t)at.picture * a.height + at.y) * a.width + at.x) * 3);
#pragma unroll
  for (int c = 0; c < 3; c++) {
#pragma unroll
    for (int k = 0; k < N; k++) {
      value[c][k] = (bytes.at(k, c) / 255.0f - a.mean[c]) / a.deviation[c];
    }
  }
#pragma unroll 1
  for (int i = a.first[at.picture]; i < a.first[at.picture + 1]; i++) {
    Erasure e = a.erasures[i];
    int step = e.per_pixel != 0 ? e.height * e.width : 1;
#pragma unroll
    for (int k = 0; k < N; k++) {
      PixelPlace own{at.picture, at.y, at.x + k};
      if (inside(e, own)) {
        int from = e.per_pixel != 0 ? (own.y - e.top) * e.width + own.x - e.left : 0;
#pragma unroll
        for (int c = 0; c < 3; c++) {
          value[c][k] = a.values[e.values + c * step + from];
        }
      }
    }
  }
}

/* The three channels of N neighbours. */
template <int N>
IVIT_DEVICE void prepare_pixels(const PictureArguments &a, PixelPlace at, float (&value)[3][N]) {
  PixelPlace partner{a.pictures - 1 - at.picture, at.y, at.x};
  Mix mix = a.mixes[at.picture];
  bool within[N];
  bool any = mix.blends != 0;
  bool all = mix.blends == 0;
#pragma unroll
  for (int k = 0; k < N; k++) {
    within[k] = inside(mix, PixelPlace{at.picture, at.y, at.x + k});
    any = any || within[k];
    all = all && within[k];
  }
  if (!all) {
    read_pixels(a, at, value);
  }
  if (!any) {
    return;
  }
  float other[3][N];
  read_pixels(a, partner, other);
#pragma unroll
  for (int c = 0; c < 3; c++) {
#pragma unroll
    for (int k = 0; k < N; k++) {
      if (mix.blends != 0) {
        value[c][k] = value[c][k] * mix.own + other[c][k] * mix.rest;
      } else if (within[k]) {
        value[c][k] = other[c][k];
      }
    }
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 4) prepare_pictures(IVIT_ARGUMENTS(ivit::PictureArguments) a) {
  int area = a.height * a.width;
  /* Neighbours lie in one row. */
  bool wide = ivit::wide<4>(a.bytes, a.pixels) && a.width % 4 == 0;
  ivit::each_column<4>(a.pictures, area, a.of_area, wide, [&](int pixel, auto n) {
    int y = (int)ivit::divide((uint32_t)pixel, a.of_width);
    int x = pixel - y * a.width;
    return [=, &a](int64_t picture) {
      constexpr int N = decltype(n)::width;
      float value[3][N];
      ivit::prepare_pixels(a, ivit::PixelPlace{(int)picture, y, x}, value);
#pragma unroll
      for (int c = 0; c < 3; c++) {
        ivit::Some<float, N> plane;
#pragma unroll
        for (int k = 0; k < N; k++) {
          put(plane, k, value[c][k]);
        }
        ivit::store(a.pixels + ((picture * 3 + c) * area + pixel), plane);
      }
    };
  });
}
