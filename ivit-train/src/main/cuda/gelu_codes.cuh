/* GELU by tables for training, and back through its slopes. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct GeluArguments {
  Global<const int8_t> from;       /* [rows][channels] */
  Global<int8_t> to;               /* [rows][channels]; of the forward pass */
  Global<float> gradient;          /* [rows][channels], multiplied in place; of the backward pass */
  Global<const int8_t> tables;     /* [512] by offset code, from 256 on of outlier channels */
  Global<const float> slopes;      /* [512] likewise */
  Global<const uint8_t> outliers;  /* 1 of an outlier channel, [channels]; or null */
  Global<uint32_t> met;            /* a bit an offset code that is no outlier channel's, [8]; or null */
  int64_t count;
  int32_t channels;
  int32_t unused;
};

IVIT_DEVICE int gelu_place(const GeluArguments &a, int64_t i, bool &outlier) {
  outlier = present(a.outliers) && a.outliers[i % a.channels] != 0;
  return (int)a.from[i] + 128 + (outlier ? 256 : 0);
}

}  // namespace ivit

/* Shared memory: 8 words. */
IVIT_KERNEL(256, 4) gelu_codes(IVIT_ARGUMENTS(ivit::GeluArguments) a) {
  ivit::Shared<uint32_t> met = ivit::as<uint32_t>(ivit::shared_memory());
  if (threadIdx.x < 8) {
    met[threadIdx.x] = 0;
  }
  ivit::block_barrier();
  /* A thread's own first: where others write by atomics, nobody reads. */
  uint32_t own[8] = {};
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    bool outlier = false;
    int place = ivit::gelu_place(a, i, outlier);
    a.to[i] = a.tables[place];
    if (!outlier) {
      own[place >> 5] |= 1u << (place & 31);
    }
  }
  for (int word = 0; word < 8; word++) {
    if (own[word] != 0) {
      ivit::atomic_or(met + word, own[word]);
    }
  }
  ivit::block_barrier();
  if (threadIdx.x < 8 && ivit::present(a.met)) {
    ivit::atomic_or(a.met + (int)threadIdx.x, met[threadIdx.x]);
  }
}

IVIT_KERNEL(256, 4) gelu_backward(IVIT_ARGUMENTS(ivit::GeluArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    bool outlier = false;
    a.gradient[i] = a.gradient[i] * a.slopes[ivit::gelu_place(a, i, outlier)];
  }
}
