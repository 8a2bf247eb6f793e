/* What device_warp.cuh says in PTX. */
#ifndef IVIT_EMULATION_WARP_H
#define IVIT_EMULATION_WARP_H

namespace ivit {

/* A lane reads its word of each row that ldmatrix would have handed it: no other lane is needed. */
template <typename Address>
void load_matrices(uint32_t (&out)[4], Address address) {
  int lane = (int)threadIdx.x % WARP;
  for (int matrix = 0; matrix < 4; matrix++) {
    Shared<unsigned char> row = address(matrix, lane / 4);
    emulation::check_shared(row.p, 16, 16);
    out[matrix] = *as<uint32_t>(row + 4 * (lane % 4));
  }
}

inline void multiply(Accumulator &c, const Left &a, const Right &b) {
  emulation::multiply(c.r, a.r, b.r, false);
}

inline void multiply_unsigned(Accumulator &c, const Left &a, const Right &b) {
  emulation::multiply(c.r, a.r, b.r, true);
}

inline void copy16(Shared<unsigned char> to, Global<const int8_t> from, bool valid) {
  emulation::copy16(to.p, from.p, valid);
}

inline void copies_commit() { emulation::copies_commit(); }

template <int N>
void copies_done() {
  emulation::copies_done(N);
}

inline void await_previous_grid() { emulation::await_previous_grid(); }

inline void products_done() { emulation::warp_barrier(); }

inline uint32_t shuffle_xor(uint32_t value, int lanes) {
  return emulation::shuffle_xor(value, lanes);
}

inline int32_t clamp(int32_t v, int32_t low, int32_t high) {
  return v < low ? low : v > high ? high : v;
}

inline uint32_t pack_codes8(int32_t first, int32_t second, uint32_t upper) {
  return (uint32_t)(uint8_t)clamp(first, -128, 127)
      | (uint32_t)(uint8_t)clamp(second, -128, 127) << 8 | upper << 16;
}

inline uint32_t pack_codes16(int32_t first, int32_t second) {
  return (uint32_t)(uint16_t)clamp(first, -32768, 32767)
      | (uint32_t)(uint16_t)clamp(second, -32768, 32767) << 16;
}

}  // namespace ivit

#endif
