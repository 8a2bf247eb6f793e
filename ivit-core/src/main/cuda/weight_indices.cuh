/* Weights of fewer than 8 bits: indices in memory, 16 at a time decoded to 8-bit codes. */
#pragma once

#include "platform.cuh"

namespace ivit {

enum { MOST_PLANES = 2 /* of the bits of an index above the lowest four */ };

/*
 * The weights of a layer as indices, in chunks of 16 along K. Of a pair of neighbours the even one
 * has the lower half: nibble j of a word is of weight 2j, nibble 4 + j of weight 2j + 1, in a plane
 * bit j is of weight 2j, bit 8 + j of weight 2j + 1. So a mask leaves a pair in both halves of a
 * word. Where no channel lies, a group's index decodes to 0. Columns are padded to 128.
 */
struct IndexArguments {
  Global<const Bytes8> low;          /* four bits a weight, [columns][depth / 16] */
  Global<const uint16_t> planes;     /* the bits above, [bits - 4][columns][depth / 16] */
  Global<const uint8_t> multipliers; /* of groups, [columns][groups]; or null */
  Global<const Bytes16> tables;      /* codes by index, [columns]; or null */
  Global<const Bytes16> places;      /* of tables: 255 where a channel lies, else 0, [depth / 16] */
  Global<const int8_t> outliers;     /* codes of the outlier steps, [columns][32 * outlier_steps] */
  int64_t plane;                     /* elements of a plane */
  int32_t bits;                      /* 2 to 6, of tables at most 4 */
  int32_t shift;
  int32_t groups;
  int32_t group_chunks; /* binary logarithm of the chunks of a group */
};

/* A chunk as it lies in memory. */
struct IndexChunk {
  Bytes8 low;
  uint32_t planes[MOST_PLANES];
  uint32_t multiplier;
};

/* The codes of four indices in the lower half of a word, a nibble each. */
IVIT_DEVICE uint32_t table_codes(const Bytes16 &table, uint32_t indices) {
  uint32_t inside = indices & 0x7777u;
  uint32_t half = (indices >> 1 & 0x4444u) | 0x3210u;
  return permute(
      permute(table.r[0], table.r[1], inside), permute(table.r[2], table.r[3], inside), half);
}

/* A chunk by its column's table. */
IVIT_DEVICE Bytes16 decode_table(
    const IndexChunk &chunk, const Bytes16 &table, const Bytes16 &places) {
  Bytes16 codes;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    uint32_t even = table_codes(table, chunk.low.r[half]);
    uint32_t odd = table_codes(table, chunk.low.r[half] >> 16);
    codes.r[2 * half] = permute(even, odd, 0x5140u) & places.r[2 * half];
    codes.r[2 * half + 1] = permute(even, odd, 0x7362u) & places.r[2 * half + 1];
  }
  return codes;
}

/*
 * A chunk of a group: (q * m + 2^(shift - 1)) >> shift with q = index - 2^(bits - 1). Two sums lie in
 * a word, moved up by 128 * 2^shift so that none is negative, and by 8 - shift bits so that the code
 * is the upper byte: as codes have 8 bits, each sum has 16 and carries nothing to its neighbour.
 */
IVIT_DEVICE Bytes16 decode_group(const IndexArguments &a, const IndexChunk &chunk) {
  int up = 8 - a.shift;
  uint32_t scale = chunk.multiplier << up;
  uint32_t offset = ((128u << a.shift) + (1u << a.shift >> 1) - (chunk.multiplier << (a.bits - 1)))
      << up;
  offset |= offset << 16;
  uint32_t sums[8];
#pragma unroll
  for (int i = 0; i < 8; i++) {
    sums[i] = (chunk.low.r[i >> 2] >> (4 * (i & 3)) & 0x000f000fu) * scale + offset;
  }
#pragma unroll
  for (int p = 0; p < MOST_PLANES; p++) {
    if (a.bits > 4 + p) {
      uint32_t pairs = permute(chunk.planes[p], 0, 0x4140u);
#pragma unroll
      for (int i = 0; i < 8; i++) {
        sums[i] += (pairs >> i & 0x00010001u) * (scale << (4 + p));
      }
    }
  }
  Bytes16 codes;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    codes.r[i] = permute(sums[2 * i], sums[2 * i + 1], 0x7531u) ^ 0x80808080u;
  }
  return codes;
}

}  // namespace ivit
