/* The kernels by name. */
#ifndef IVIT_REGISTRY_H
#define IVIT_REGISTRY_H

#include <mutex>

#include "block.h"

namespace emulation {

/* Returns the kernel of a number, or null beyond the last. */
const Kernel *kernel(int number);

/* Returns the kernel of a name, or null. */
const Kernel *kernel(const char *name);

/* Held by whoever runs kernels or changes memory. */
extern std::mutex mutex;

}  // namespace emulation

#endif
