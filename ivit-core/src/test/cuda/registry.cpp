#include "registry.h"

#include "kernels.cu"

namespace emulation {

const std::vector<Kernel> kernels = {
#include "engine_kernels.inc"
};

}  // namespace emulation
