/*
 * The instructions of AMX that gemm_amx.c uses, in plain C, so that its addresses and sizes are
 * tested where no processor has them. It reads and writes exactly what the instructions do.
 */
#ifndef AMX_EMULATION_H
#define AMX_EMULATION_H

#include <stdint.h>
#include <string.h>

static _Thread_local struct {
  int configured;
  uint8_t bytes[8][16][64];
} amx;

static inline void _tile_loadconfig(const void *configuration) {
  const uint8_t *c = configuration;
  amx.configured = c[0] == 1;
  for (int i = 0; i < 8; i++) {
    uint16_t bytes;
    memcpy(&bytes, c + 16 + 2 * i, sizeof bytes);
    amx.configured &= bytes == 64 && c[48 + i] == 16;
  }
}

static inline void _tile_release(void) {
  amx.configured = 0;
}

/* An instruction without a configuration is an illegal one. */
static inline void amx_require(void) {
  if (!amx.configured) {
    __builtin_trap();
  }
}

static inline void _tile_loadd(int tile, const void *base, size_t stride) {
  amx_require();
  for (int r = 0; r < 16; r++) {
    memcpy(amx.bytes[tile][r], (const char *)base + r * stride, 64);
  }
}

static inline void _tile_stored(int tile, void *base, size_t stride) {
  amx_require();
  for (int r = 0; r < 16; r++) {
    memcpy((char *)base + r * stride, amx.bytes[tile][r], 64);
  }
}

static inline void _tile_dpbusd(int to, int left, int right) {
  amx_require();
  for (int r = 0; r < 16; r++) {
    for (int c = 0; c < 16; c++) {
      uint32_t sum;
      memcpy(&sum, amx.bytes[to][r] + 4 * c, sizeof sum);
      for (int k = 0; k < 64; k++) {
        int8_t w = (int8_t)amx.bytes[right][k / 4][4 * c + k % 4];
        sum += (uint32_t)(amx.bytes[left][r][k] * w);
      }
      memcpy(amx.bytes[to][r] + 4 * c, &sum, sizeof sum);
    }
  }
}

#endif
