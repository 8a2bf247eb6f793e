/*
 * Where the kernels run. nvcc compiles them for a GPU; a C++ compiler with IVIT_EMULATION compiles
 * the same sources for the processor, every thread of a block a fiber.
 *
 * There is no floating point in this folder, and no division of run-time integers: nvcc would lower
 * it to a floating-point reciprocal.
 */
#pragma once

#include <stdint.h>

#ifdef IVIT_EMULATION
#include "emulation.h"
#else
#include "device.cuh"
#endif

namespace ivit {

enum {
  WARP = 32,
  GROUP_THREADS = 4 * WARP, /* of a warpgroup */
  K_STEP = 32               /* bytes along K of one mma */
};

/* One warp's share of a left operand, 16 rows by 32 bytes. */
struct Left {
  uint32_t r[4];
};

/* Of a right operand, 8 columns by 32 bytes. */
struct Right {
  uint32_t r[2];
};

/*
 * Of a product, 16 rows by 8 columns: lane l holds (row l/4, columns 2(l%4) and the next), then the
 * same columns of row l/4 + 8.
 */
struct Accumulator {
  int32_t r[4];
};

/* Four bytes of a 16-byte aligned piece of memory that is loaded at once. */
struct alignas(16) Bytes16 {
  uint32_t r[4];
};

struct alignas(8) Bytes8 {
  uint32_t r[2];
};

}  // namespace ivit

#ifdef IVIT_EMULATION
#include "emulation_warp.h"
#else
#include "device_warp.cuh"
#endif
