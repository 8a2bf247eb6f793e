/*
 * Hopper's means of feeding products: clusters of two blocks, copies of boxes that the tensor memory
 * accelerator makes by itself, barriers in shared memory that count what has arrived, and wgmma on
 * 64 rows by 256 columns. Only machine code for sm_90a has them, and says so by IVIT_HAS_CLUSTERS;
 * kernels that need them are empty elsewhere, and never launched.
 */
#pragma once

#include "platform.cuh"

namespace ivit {

enum { CLUSTER_BLOCKS = 2 };

/* A matrix of bytes in global memory and the box of it that a copy takes, as the driver encodes them. */
struct alignas(64) TensorMap {
  uint64_t words[16];
};

/*
 * An operand of wgmma in shared memory, at an address of its 18 bits: groups of eight rows of 128
 * bytes, one after the other, in the 128-byte swizzle. Fields in units of 16 bytes: address, an offset
 * that swizzled operands along K do not use, 1024 bytes from group to group; then the swizzle's number.
 * 32 bytes on along K are 32 bytes on in the address.
 */
IVIT_DEVICE uint64_t operand_of_128(uint32_t address) {
  return (uint64_t)(address >> 4 & 0x3fffu) | (uint64_t)1 << 16 | (uint64_t)(1024 >> 4) << 32
      | (uint64_t)1 << 62;
}

}  // namespace ivit

#ifdef IVIT_EMULATION
#include "emulation_cluster.h"
#else
#include "device_cluster.cuh"
#endif
