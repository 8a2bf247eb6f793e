/* GELU in form `row`: the row's maximum selects the table. In place, a warp a row. */
#pragma once

#include "platform.cuh"

namespace ivit {

struct GeluRowArguments {
  Global<const int8_t> tables; /* [maximum + 128][code + 128] */
  Global<int8_t> codes;        /* [rows][stride] */
  int32_t rows;
  int32_t channels;
  int32_t stride;
  int32_t unused;
};

enum { GELU_ROW_WARPS = 4 };

}  // namespace ivit

IVIT_KERNEL(128, 8) gelu_row(IVIT_ARGUMENTS(ivit::GeluRowArguments) a) {
  ivit::await_previous_grid();
  int row = (int)blockIdx.x * ivit::GELU_ROW_WARPS + (int)threadIdx.x / ivit::WARP;
  if (row >= a.rows) {
    return;
  }
  int lane = (int)threadIdx.x % ivit::WARP;
  auto codes = a.codes + (int64_t)row * a.stride;
  int largest = -128;
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    int code = codes[c];
    largest = code > largest ? code : largest;
  }
  for (int lanes = ivit::WARP / 2; lanes > 0; lanes /= 2) {
    int other = (int)ivit::shuffle_xor((uint32_t)largest, lanes);
    largest = other > largest ? other : largest;
  }
  auto table = a.tables + ((largest + 128) * 256 + 128);
  for (int c = lane; c < a.channels; c += ivit::WARP) {
    int code = codes[c];
    codes[c] = table[code];
  }
}
