/* The kernels of one instruction set, named by IVIT_SET and IVIT_SET_NAME. */
#include "kernels.h"

#include <math.h>

#include "codes.h"
#include "norms.h"
#include "gelus.h"
#include "gates.h"
#include "attentions.h"
#include "sums.h"

const struct ivit_training_kernels IVIT_SET = {
    .name = IVIT_SET_NAME,
    .recover = recover,
    .dequantize = dequantize,
    .widen = widen,
    .requantize8 = requantize8,
    .requantize16 = requantize16,
    .residual = residual,
    .dequantize_rows = dequantize_rows,
    .tile_to8 = requantize8_tile,
    .tile_to16 = requantize16_tile,
    .norm_codes = norm_codes,
    .norm_codes16 = norm_codes16,
    .norm_codes_backward = norm_codes_backward,
    .norm = norm,
    .norm_backward = norm_backward,
    .gelu_codes = gelu_codes,
    .gelu_codes_backward = gelu_codes_backward,
    .gelu = gelu,
    .gelu_backward = gelu_backward,
    .sigmoid_gate = sigmoid_gate,
    .sigmoid_gate_backward = sigmoid_gate_backward,
    .multiply = multiply,
    .gate_to8 = gate_to8,
    .gate_to16 = gate_to16,
    .gate_backward = gate_backward,
    .turn_codes = turn_codes,
    .turn = turn,
    .scores = scores,
    .probabilities = probabilities,
    .divide_sums = divide_sums,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .probabilities_of_codes = probabilities_of_codes,
    .add_column_sums = add_column_sums,
    .fill_rows = fill_rows,
    .add_offsets = add_offsets,
    .add_scaled = add_scaled,
    .scale = scale,
    .adam = adam,
    .squares = squares,
    .sum = sum,
};
