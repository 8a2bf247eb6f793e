/* What device_products.cuh says in PTX. */
#ifndef IVIT_EMULATION_PRODUCTS_H
#define IVIT_EMULATION_PRODUCTS_H

#define IVIT_TENSOR_REALS

namespace ivit {

inline uint32_t tf32_of(float v) {
  return v != v ? 0x7fffffffu : (bits_of(v) + 0x1000u) & 0xffffe000u;
}

inline uint32_t bf16_of(float v) {
  uint32_t bits = bits_of(v);
  return v != v ? 0x7fffu : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

inline uint32_t bf16_of(float first, float second) {
  return bf16_of(first) | bf16_of(second) << 16;
}

inline void multiply_tf32(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  emulation::multiply_tf32(c, a, b);
}

inline void multiply_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  emulation::multiply_bf16(c, a, b);
}

}  // namespace ivit

#endif
