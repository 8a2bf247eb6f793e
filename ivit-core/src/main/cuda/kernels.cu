/* All kernels in one translation unit: one PTX file, one cubin. */
#include "attention_kernels.cuh"
#include "gelu_row.cuh"
#include "layer_norm_kernels.cuh"
#include "linear_codes.cuh"
#include "linear_logits.cuh"
#include "linear_stream.cuh"
#include "patches.cuh"
#include "pool.cuh"
