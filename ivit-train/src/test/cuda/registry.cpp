#include "registry.h"

#include "training.cu"

namespace emulation {

const std::vector<Kernel> kernels = {
    KERNEL(fill, 256, FillArguments),
};

}  // namespace emulation
