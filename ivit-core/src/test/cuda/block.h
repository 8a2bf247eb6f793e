/* Runs a kernel over a grid of blocks. */
#ifndef IVIT_BLOCK_H
#define IVIT_BLOCK_H

#include <stddef.h>

#include <string>

#include "emulation.h"

namespace emulation {

struct Kernel {
  const char *name;
  int threads; /* of a block at most */
  size_t argument_bytes;
  void (*run)(const void *arguments);
  int cluster = 1; /* blocks that run together */
};

/*
 * How a grid is launched after the one in front: when that has ended, or, by programmatic dependent
 * launch, at any time, so that the kernel must wait for it.
 */
enum class Start { AFTER, BESIDE };

/* Returns what went wrong, or nothing. */
std::string run_grid(
    const Kernel &kernel, Index3 grid, int block, size_t shared_bytes, const void *arguments,
    Start start = Start::AFTER);

}  // namespace emulation

#endif
