#include "registry.h"

#include "kernels.cu"
#include "training.cu"
#include "fake_cublaslt.h"

#define PRODUCTS_OF(name) \
  KERNEL(name##_large, 256, ProductArguments), KERNEL(name##_small, 128, ProductArguments)

#define PRODUCTS(form)                                                      \
  PRODUCTS_OF(product_##form##_float32), PRODUCTS_OF(product_##form##_tf32), \
      PRODUCTS_OF(product_##form##_bf16)

namespace emulation {

const std::vector<Kernel> kernels = {
/* A run validates with the engine, on the same driver. */
#include "engine_kernels.inc"
    KERNEL(adam, 256, AdamArguments),
    KERNEL(add_branch, 256, AddArguments),
    KERNEL(add_outer_product, 256, OuterArguments),
#define ATTENTION(name, blocks, steps, kind, windows, spans) \
    KERNEL(attention_observed_##name, 224, ObservedAttentionArguments),
    IVIT_ATTENTIONS(ATTENTION)
#undef ATTENTION
    KERNEL(codes_to_reals, 256, CodesArguments),
    KERNEL(column_sums, 256, ColumnSumArguments),
    KERNEL(cosine_distance, 256, LossArguments),
    KERNEL(cross_entropy, 256, LossArguments),
    KERNEL(dequantize_rows, 256, DequantizeArguments),
    KERNEL(embed_observed, 256, EmbedArguments),
    KERNEL(embed_reals, 256, RealEmbedArguments),
    KERNEL(fill, 256, FillArguments),
    KERNEL(fill_rows, 256, FillRowsArguments),
    KERNEL(gather_rows_16, 256, GatherArguments),
    KERNEL(gather_rows_32, 256, GatherArguments),
    KERNEL(gather_rows_8, 256, GatherArguments),
    KERNEL(gather_words, 256, GatherWordsArguments),
    KERNEL(gate_backward, 256, GatingBackwardArguments),
    KERNEL(gate_observed_16, 256, ObservedGatingArguments),
    KERNEL(gate_observed_8, 256, ObservedGatingArguments),
    KERNEL(gate_reals, 256, RealGatingArguments),
    KERNEL(gate_reals_backward, 256, RealGatingArguments),
    KERNEL(gelu_backward, 256, GeluArguments),
    KERNEL(gelu_codes, 256, GeluArguments),
    KERNEL(gelu_reals, 256, RealGeluArguments),
    KERNEL(gelu_reals_backward, 256, RealGeluArguments),
    KERNEL(gelu_row_backward, 256, ObservedGeluRowArguments),
    KERNEL(gelu_row_observed, 256, ObservedGeluRowArguments),
    KERNEL(gelu_tanh_reals, 256, RealGeluArguments),
    KERNEL(gelu_tanh_reals_backward, 256, RealGeluArguments),
    KERNEL(grid_gradient, 256, GridGradientArguments),
    KERNEL(linear_observed_16_large, 256, ObservedLinearArguments),
    KERNEL(linear_observed_16_medium, 128, ObservedLinearArguments),
    KERNEL(linear_observed_16_small, 128, ObservedLinearArguments),
    KERNEL(linear_observed_16_warpgroup, 256, ObservedLinearArguments),
    KERNEL(linear_observed_8_large, 256, ObservedLinearArguments),
    KERNEL(linear_observed_8_medium, 128, ObservedLinearArguments),
    KERNEL(linear_observed_8_small, 128, ObservedLinearArguments),
    KERNEL(linear_observed_8_warpgroup, 256, ObservedLinearArguments),
    KERNEL(norm_backward, 256, NormBackwardArguments),
    KERNEL(norm_observed_16_16, 256, ObservedNormArguments),
    KERNEL(norm_observed_16_8, 256, ObservedNormArguments),
    KERNEL(norm_parameters_backward, 256, NormBackwardArguments),
    KERNEL(norm_reals, 256, RealNormArguments),
    KERNEL(norm_reals_backward, 256, RealNormArguments),
    KERNEL(norm_reals_parameters, 256, RealNormArguments),
    KERNEL(order_channels, 256, OrderArguments),
    KERNEL(partial_sums, 256, PartialSumArguments),
    KERNEL(patches_observed, 256, PixelArguments),
    KERNEL(pool_observed_16, 256, ObservedPoolArguments),
    KERNEL(pool_observed_8, 256, ObservedPoolArguments),
    KERNEL(pool_reals, 256, RealPoolArguments),
    KERNEL(pool_sums, 256, ObservedPoolArguments),
    KERNEL(positions_backward, 256, PositionArguments),
    KERNEL(prepare_pictures, 256, PictureArguments),
    KERNEL(probabilities_of_codes, 256, SoftmaxBackwardArguments),
    PRODUCTS(nn_real_code8),
    PRODUCTS(nn_real_real),
    PRODUCTS(nt_real_code8),
    PRODUCTS(nt_real_real),
    KERNEL(product_sum, 128, ProductArguments),
    PRODUCTS(tn_code16_real),
    PRODUCTS(tn_real_code8),
    PRODUCTS(tn_real_real),
    KERNEL(quantize_channels, 256, QuantizeArguments),
    KERNEL(query_attention_observed, 128, ObservedQueryArguments),
    KERNEL(quick_gelu_reals, 256, RealGeluArguments),
    KERNEL(quick_gelu_reals_backward, 256, RealGeluArguments),
    KERNEL(residual_observed, 256, ObservedResidualArguments),
    KERNEL(rotate_observed, 256, ObservedRotationArguments),
    KERNEL(rotate_reals, 256, RealRotationArguments),
    KERNEL(scale_pictures, 256, ScaleArguments),
    KERNEL(softmax_backward, 256, SoftmaxBackwardArguments),
    KERNEL(softmax_reals, 256, RealSoftmaxArguments),
    KERNEL(softmax_reals_backward, 256, RealSoftmaxArguments),
    KERNEL(squares, 256, SquareArguments),
    KERNEL(swap_axes, 256, SwapArguments),
    KERNEL(teacher_targets, 256, TeacherArguments),
    KERNEL(unfold_reals, 256, UnfoldArguments),
    KERNEL(widen_codes_16, 256, WidenArguments),
    KERNEL(widen_codes_8, 256, WidenArguments),
};

}  // namespace emulation
