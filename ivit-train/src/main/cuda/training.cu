/* All kernels of training in one translation unit: one PTX file, one cubin. */
#include "fill.cuh"
