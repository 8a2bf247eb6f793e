#include "registry.h"

namespace emulation {

std::mutex mutex;

const Kernel *kernel(int number) {
  return number < (int)kernels.size() ? &kernels[(size_t)number] : nullptr;
}

const Kernel *kernel(const char *name) {
  for (const Kernel &k : kernels) {
    if (strcmp(k.name, name) == 0) {
      return &k;
    }
  }
  return nullptr;
}

}  // namespace emulation
