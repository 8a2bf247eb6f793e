package org.ivit.core.tensor;

/** Widens 16-bit floats to float32; each of their values is one of float32, so this is exact. */
final class HalfPrecision {
  private HalfPrecision() {}

  /** IEEE binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
  static float fromF16(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = (bits >> 10) & 0x1f;
    int fraction = bits & 0x3ff;
    if (exponent == 0x1f) {
      return Float.intBitsToFloat(sign | 0x7f800000 | (fraction << 13));
    }
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    return Float.intBitsToFloat(sign | ((exponent + 127 - 15) << 23) | (fraction << 13));
  }

  static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
