#include "registry.h"

#include "kernels.cu"

namespace emulation {

const std::vector<Kernel> kernels = {
    KERNEL(linear_codes_large, 256, LinearArguments),
    KERNEL(linear_codes_warpgroup, 256, LinearArguments),
    KERNEL(linear_codes_medium, 128, LinearArguments),
    KERNEL(linear_codes_small, 128, LinearArguments),
    KERNEL(linear_stream_large, 256, LinearArguments),
    KERNEL(linear_stream_warpgroup, 256, LinearArguments),
    KERNEL(linear_stream_medium, 128, LinearArguments),
    KERNEL(linear_stream_small, 128, LinearArguments),
    KERNEL(linear_logits_medium, 128, LinearArguments),
    KERNEL(linear_logits_small, 128, LinearArguments),
    KERNEL(layer_norm, 128, NormArguments),
    KERNEL(layer_norm_patches, 128, NormArguments),
    KERNEL(unfold_patches, 128, PatchArguments),
    KERNEL(leading_tokens, 128, LeadingArguments),
    KERNEL(gelu_row, 128, GeluRowArguments),
    KERNEL(pool_tokens, 128, PoolArguments),
    KERNEL(attention_32, 224, AttentionArguments),
    KERNEL(attention_64, 224, AttentionArguments),
    KERNEL(attention_256, 224, AttentionArguments),
    KERNEL(attention_32_narrow, 224, AttentionArguments),
    KERNEL(attention_64_narrow, 224, AttentionArguments),
    KERNEL(attention_256_narrow, 224, AttentionArguments),
    KERNEL(attention_32_deferred, 224, AttentionArguments),
    KERNEL(attention_64_deferred, 224, AttentionArguments),
    KERNEL(attention_256_deferred, 224, AttentionArguments),
};

}  // namespace emulation
