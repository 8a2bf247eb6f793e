/* (z * m + 2^(e-1)) >> e, exactly, and its clamps. */
#pragma once

#include "platform.cuh"

namespace ivit {

/* A dyadic multiplier m * 2^-e as the graph has it. */
struct Dyadic {
  int32_t multiplier;
  int32_t shift;
};

/*
 * An output channel. Where every e of a layer is 33 or more, the rounding touches the upper half of
 * the product only: half = 2^(e-33) and shift = e - 32. Otherwise the layer is wide, and shift = e.
 */
struct Channel {
  int32_t bias;
  int32_t multiplier;
  int32_t half;
  int32_t shift;
};

IVIT_DEVICE Channel channel_at(Global<const Bytes16> channels, int c) {
  Bytes16 b = channels[c];
  return Channel{(int32_t)b.r[0], (int32_t)b.r[1], (int32_t)b.r[2], (int32_t)b.r[3]};
}

IVIT_DEVICE int64_t requantize_wide(int32_t z, int32_t multiplier, int32_t shift) {
  return ((int64_t)z * multiplier + ((int64_t)1 << (shift - 1))) >> shift;
}

IVIT_DEVICE int32_t requantize_high(int32_t z, int32_t multiplier, int32_t half, int32_t shift) {
  return (multiply_high(z, multiplier) + half) >> shift;
}

IVIT_DEVICE int32_t saturate16(int64_t v) {
  return (int32_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

IVIT_DEVICE int32_t saturate8(int32_t v) { return v < -128 ? -128 : v > 127 ? 127 : v; }

/* Saturated to the type of the second argument. */
IVIT_DEVICE int8_t narrowed(int32_t v, int8_t) { return (int8_t)saturate8(v); }

IVIT_DEVICE int16_t narrowed(int32_t v, int16_t) { return (int16_t)saturate16(v); }

/* Requantized to a value that saturates to 8 or 16 bits as the exact one does. */
IVIT_DEVICE int32_t requantize(int32_t z, const Channel &c, bool wide) {
  return wide ? saturate16(requantize_wide(z, c.multiplier, c.shift))
              : requantize_high(z, c.multiplier, c.half, c.shift);
}

/* A channel of a dyadic multiplier that stands alone. */
IVIT_DEVICE Channel channel_of(const Dyadic &d) {
  return d.shift >= 33 ? Channel{0, d.multiplier, (int32_t)(1u << (d.shift - 33)), d.shift - 32}
                       : Channel{0, d.multiplier, 0, d.shift};
}

/*
 * A multiplier of 16-bit codes: from e = 26 on, a code times 2^prescale with prescale = 32 - e, at least
 * 0, has its quotient in the upper half of the product, shifted by what e exceeds 32.
 */
struct CodeMultiplier {
  int32_t multiplier;
  int32_t prescale; /* as a power of two */
  int32_t shift;
  int64_t half;
};

IVIT_DEVICE CodeMultiplier code_multiplier(const Dyadic &d) {
  int32_t prescale = d.shift < 32 ? 32 - d.shift : 0;
  return CodeMultiplier{
      d.multiplier, 1 << prescale, d.shift < 32 ? 0 : d.shift - 32,
      (int64_t)1 << (d.shift + prescale - 1)};
}

/* The code in the lower half of a word, or in the upper one, scaled. */
template <bool upper, bool shifted>
IVIT_DEVICE int32_t scale_code(uint32_t codes, const CodeMultiplier &m) {
  int32_t code = multiply_pair((int32_t)codes, upper ? m.prescale << 8 : m.prescale);
  int32_t high = (int32_t)(((int64_t)code * m.multiplier + m.half) >> 32);
  return shifted ? high >> m.shift : high;
}

/* A residual add, clamp16(branch * z + identity * code), of two dyadic multipliers. */
struct Adder {
  Dyadic branch;
  Dyadic identity;
};

IVIT_DEVICE bool is_wide(const Adder &a) { return a.branch.shift < 26 || a.identity.shift < 26; }

IVIT_DEVICE int32_t add_wide(const Adder &a, int32_t z, int32_t identity) {
  return saturate16(
      requantize_wide(z, a.branch.multiplier, a.branch.shift)
      + requantize_wide(identity, a.identity.multiplier, a.identity.shift));
}

}  // namespace ivit
