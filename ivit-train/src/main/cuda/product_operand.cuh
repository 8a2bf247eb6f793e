/* An operand of a product on its way from global memory to a tile of words in shared memory. */
#pragma once

#include "reals.cuh"

namespace ivit {

enum { PRODUCT_WORDS = 16 /* along K of a tile; a word holds one real, or two of 16 bits */ };

/*
 * Where a word of a tile [PRODUCT_WORDS][WIDTH] lies. Eights of places are swizzled so that neither
 * reading 8 places of 4 words by a warp meets a bank twice, nor writing 8 places of every fourth.
 */
template <int WIDTH>
IVIT_DEVICE int word_at(int word, int place) {
  return word * WIDTH + (place ^ ((word ^ word >> 2) & 3) << 3);
}

/* Four neighbours of a row as they lie in memory. */
template <typename T>
struct alignas(4 * sizeof(T)) Four {
  uint32_t r[sizeof(T)];
};

IVIT_DEVICE float real_at(const Four<float> &v, int i) { return real_of(v.r[i]); }

/* Codes become the low bits of a real whose last bit is worth 1: cheaper than a conversion. */
IVIT_DEVICE float real_at(const Four<int8_t> &v, int i) {
  return real_of(permute(v.r[0] ^ 0x80808080u, 0x4b000000u, 0x7540u + (uint32_t)i)) - 8388736.0f;
}

IVIT_DEVICE float real_at(const Four<int16_t> &v, int i) {
  uint32_t selector = i & 1 ? 0x7632u : 0x7610u;
  return real_of(permute(v.r[i >> 1] ^ 0x80008000u, 0x4b000000u, selector)) - 8421376.0f;
}

IVIT_DEVICE void put(Four<float> &to, int i, float v) { to.r[i] = bits_of(v); }

IVIT_DEVICE void put(Four<int8_t> &to, int i, int8_t v) {
  to.r[0] |= (uint32_t)(uint8_t)v << (8 * i);
}

IVIT_DEVICE void put(Four<int16_t> &to, int i, int16_t v) {
  to.r[i >> 1] |= (uint32_t)(uint16_t)v << (16 * (i & 1));
}

/* The first `count` of four, zeros for the others. */
template <typename T>
IVIT_DEVICE Four<T> four(Global<const T> from, int count, bool wide) {
  if (wide && count >= 4) {
    return *as<const Four<T>>(from);
  }
  Four<T> out = {};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if (i < count) {
      put(out, i, from[i]);
    }
  }
  return out;
}

/*
 * A thread's share of an operand's tile, WIDTH rows or columns of the product by one tile along K:
 * held in registers between the load and the conversion, so that products hide the load.
 *
 * ALONG: whether neighbours in memory are neighbours along K.
 */
template <typename T, bool ALONG, typename Precision, int WIDTH, int THREADS>
struct Operand {
  enum {
    pack = Precision::pack,
    fours = ALONG ? PRODUCT_WORDS / 4 : WIDTH / 4, /* of neighbouring words */
    distance = THREADS / fours,
    shares = WIDTH * PRODUCT_WORDS / 4 / THREADS
  };

  Global<const T> from; /* the tile's first row or column, at K 0 */
  int64_t stride;
  int valid; /* rows or columns from the tile's first */
  bool wide;
  Four<T> held[shares][pack];

  IVIT_DEVICE int first() const { return (int)threadIdx.x % fours * 4; }

  IVIT_DEVICE int row(int share) const { return (int)threadIdx.x / fours + share * distance; }

  /* Loads what lies at `depth` along K and after it, below `end`. */
  IVIT_DEVICE void load(int depth, int end) {
#pragma unroll
    for (int share = 0; share < shares; share++) {
#pragma unroll
      for (int p = 0; p < pack; p++) {
        if constexpr (ALONG) {
          int k = depth + first() * pack + 4 * p;
          int count = row(share) < valid ? end - k : 0;
          held[share][p] = four<T>(from + (row(share) * stride + k), count, wide);
        } else {
          int k = depth + row(share) * pack + p;
          int count = k < end ? valid - first() : 0;
          held[share][p] = four<T>(from + (k * stride + first()), count, wide);
        }
      }
    }
  }

  IVIT_DEVICE uint32_t word(int share, int i) const {
    if constexpr (pack == 1) {
      return Precision::word(real_at(held[share][0], i));
    } else if constexpr (ALONG) {
      const Four<T> &both = held[share][i >> 1];
      return Precision::word(real_at(both, 2 * i & 3), real_at(both, (2 * i & 3) + 1));
    } else {
      return Precision::word(real_at(held[share][0], i), real_at(held[share][1], i));
    }
  }

  IVIT_DEVICE void store(Shared<uint32_t> tile) const {
#pragma unroll
    for (int share = 0; share < shares; share++) {
      Bytes16 words = {{word(share, 0), word(share, 1), word(share, 2), word(share, 3)}};
      if constexpr (ALONG) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          tile[word_at<WIDTH>(first() + i, row(share))] = words.r[i];
        }
      } else {
        *as<Bytes16>(tile + word_at<WIDTH>(row(share), first())) = words;
      }
    }
  }
};

}  // namespace ivit
