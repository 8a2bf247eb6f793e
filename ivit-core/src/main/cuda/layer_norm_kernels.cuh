/* The engine's I-LayerNorm. */
#pragma once

#include "layer_norm.cuh"

/* From the stream to codes. */
IVIT_KERNEL(128, 8) layer_norm(IVIT_ARGUMENTS(ivit::NormArguments) a) {
  ivit::await_previous_grid();
  int number = ivit::norm_row_number();
  if (number < a.rows) {
    int lane = (int)threadIdx.x % ivit::WARP;
    auto row = a.stream + (int64_t)ivit::token_of(a.map, number) * a.input_stride;
    auto out = a.codes_out + (int64_t)number * a.output_stride;
    if (ivit::present(a.source)) {
      ivit::norm_row(a, ivit::Gathered{row, a.source}, a.output_stride, out, lane);
    } else {
      ivit::norm_row(a, ivit::InOrder<int16_t>{row}, a.channels, out, lane);
    }
  }
}

/* A stream in place. A lane writes what it alone reads once the statistics are known. */
IVIT_KERNEL(128, 8) layer_norm_stream(IVIT_ARGUMENTS(ivit::NormArguments) a) {
  ivit::await_previous_grid();
  int number = ivit::norm_row_number();
  if (number < a.rows) {
    int lane = (int)threadIdx.x % ivit::WARP;
    int64_t token = ivit::token_of(a.map, number);
    auto row = a.stream + token * a.input_stride;
    auto out = a.stream_out + token * a.output_stride;
    ivit::norm_row(a, ivit::InOrder<int16_t>{row}, a.channels, out, lane);
  }
}

/* From codes to a stream: the norm of a Swin's patches. */
IVIT_KERNEL(128, 8) layer_norm_patches(IVIT_ARGUMENTS(ivit::NormArguments) a) {
  ivit::await_previous_grid();
  int number = ivit::norm_row_number();
  if (number < a.rows) {
    int lane = (int)threadIdx.x % ivit::WARP;
    auto row = a.codes + (int64_t)ivit::token_of(a.map, number) * a.input_stride;
    auto out = a.stream_out + (int64_t)number * a.output_stride;
    ivit::norm_row(a, ivit::InOrder<int8_t>{row}, a.channels, out, lane);
  }
}
