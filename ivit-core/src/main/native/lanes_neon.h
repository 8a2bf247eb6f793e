/* Pieces that the NEON kernels share. */
#ifndef IVIT_LANES_NEON_H
#define IVIT_LANES_NEON_H

#include <arm_neon.h>
#include <stdint.h>

/* Before a loop over a tile's registers, which are an array to C until it is unrolled whole. */
#if defined(__clang__)
#define IVIT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define IVIT_UNROLL _Pragma("GCC unroll 16")
#endif

/* Sixteen codes of each column of a strip as a step of it: units of all columns, and so on. */
static inline __attribute__((always_inline)) void ivit_interleave_neon(
    int8_t *to, const uint8x16_t *c, const int unit) {
  if (unit == 8) {
    uint64x2x2_t v = {{vreinterpretq_u64_u8(c[0]), vreinterpretq_u64_u8(c[1])}};
    vst2q_u64((uint64_t *)(void *)to, v);
  } else if (unit == 4) {
    uint32x4x4_t v = {
        {vreinterpretq_u32_u8(c[0]), vreinterpretq_u32_u8(c[1]), vreinterpretq_u32_u8(c[2]),
         vreinterpretq_u32_u8(c[3])}};
    vst4q_u32((uint32_t *)(void *)to, v);
  } else {
    vst1q_u8((uint8_t *)to, c[0]);
  }
}

/* Modulo 2^32, as accumulators are. */
static inline int32x4_t ivit_add_neon(int32x4_t a, int32x4_t b) {
  return vreinterpretq_s32_u32(vaddq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_s32(b)));
}

/*
 * (hi32(z * m) + half) >> shift, half being half of 2^shift, from the upper half of 2 * z * m: a
 * rounding shift by one more. m is not negative, so nothing saturates. `down` is -(shift + 1).
 */
static inline int32x4_t ivit_upper_neon(int32x4_t z, int32x4_t m, int32x4_t down) {
  return vrshlq_s32(vqdmulhq_s32(z, m), down);
}

/* -(shift + 1) */
static inline int32x4_t ivit_down_neon(int32x4_t shift) {
  return vmvnq_s32(shift);
}

/* Eight numbers clamped to 16 bits. */
static inline int16x8_t ivit_words_neon(int32x4_t a, int32x4_t b) {
  return vqmovn_high_s32(vqmovn_s32(a), b);
}

/* Sixteen numbers clamped to 8 bits. */
static inline uint8x16_t ivit_codes_neon(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
  int16x8_t low = ivit_words_neon(a, b), high = ivit_words_neon(c, d);
  return vreinterpretq_u8_s8(vqmovn_high_s16(vqmovn_s16(low), high));
}

/* A table of 256 bytes in registers. */
struct ivit_table_neon {
  uint8x16x4_t first, second, third, fourth;
};

/* One load, which early versions of gcc 10 lack, spares a detour over the stack. */
static inline uint8x16x4_t ivit_sixty_four_neon(const uint8_t *table) {
#if defined(__clang__) || __GNUC__ >= 11
  return vld1q_u8_x4(table);
#else
  uint8x16x4_t quarter = {
      {vld1q_u8(table), vld1q_u8(table + 16), vld1q_u8(table + 32), vld1q_u8(table + 48)}};
  return quarter;
#endif
}

static inline struct ivit_table_neon ivit_table_neon_load(const uint8_t *table) {
  struct ivit_table_neon t = {
      ivit_sixty_four_neon(table), ivit_sixty_four_neon(table + 64),
      ivit_sixty_four_neon(table + 128), ivit_sixty_four_neon(table + 192)};
  return t;
}

static inline uint8x16_t ivit_look_up_neon(const struct ivit_table_neon *t, uint8x16_t index) {
  const uint8x16_t quarter = vdupq_n_u8(64);
  uint8x16_t found = vqtbl4q_u8(t->first, index);
  index = vsubq_u8(index, quarter);
  found = vqtbx4q_u8(found, t->second, index);
  index = vsubq_u8(index, quarter);
  found = vqtbx4q_u8(found, t->third, index);
  index = vsubq_u8(index, quarter);
  return vqtbx4q_u8(found, t->fourth, index);
}

/* All ones in the bytes whose bit is set. */
static inline uint8x16_t ivit_bytes_of_bits_neon(uint32_t bits) {
  static const uint8_t each[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t spread = vcombine_u8(vdup_n_u8((uint8_t)bits), vdup_n_u8((uint8_t)(bits >> 8)));
  return vtstq_u8(spread, vld1q_u8(each));
}

#endif
