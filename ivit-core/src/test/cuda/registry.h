/* The kernels by name. */
#ifndef IVIT_REGISTRY_H
#define IVIT_REGISTRY_H

#include <string.h>

#include <functional>
#include <mutex>
#include <vector>

#include "block.h"

/* An entry of the registry: a kernel of namespace ivit's arguments. */
#define KERNEL(name, threads, Arguments) \
  Kernel { #name, threads, sizeof(ivit::Arguments), call<name, ivit::Arguments> }

/* A kernel of clusters. */
#define CLUSTER_KERNEL(name, threads, Arguments)                                        \
  Kernel {                                                                              \
    #name, threads, sizeof(ivit::Arguments), call<name, ivit::Arguments>,               \
        ivit::CLUSTER_BLOCKS                                                            \
  }

namespace emulation {

/* Of the kernels that a library was made of. */
extern const std::vector<Kernel> kernels;

/* Returns the kernel of a number, or null beyond the last. */
const Kernel *kernel(int number);

/* Returns the kernel of a name, or null. */
const Kernel *kernel(const char *name);

/* Held by whoever runs kernels or changes memory. */
extern std::mutex mutex;

/*
 * Does work after all that waits in the fake driver's default stream, and at once where nothing does.
 * Returns the work's error, or 0.
 */
int in_default_stream(std::function<int()> work);

template <auto kernel, typename Arguments>
void call(const void *arguments) {
  Arguments copy;
  memcpy((void *)&copy, arguments, sizeof copy);
  kernel(copy);
}

}  // namespace emulation

#endif
