/* Rotary positions: queries and keys turned by codes of sines and cosines. */
#pragma once

#include "platform.cuh"

namespace ivit {

enum { ROTARY_BITS = 14 };

/* Of a channel and its partner, by cosine and sine in 16 bits each: below 2^30 in magnitude. */
IVIT_DEVICE int32_t turned(int32_t own, int32_t partner, uint32_t turn) {
  return own * (int16_t)(turn & 0xffffu) + partner * ((int32_t)turn >> 16);
}

}  // namespace ivit
