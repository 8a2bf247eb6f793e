/* What surrounds the products of a network in floating point: patches, tokens, sums, means. */
#pragma once

#include "patch_place.cuh"

namespace ivit {

struct UnfoldArguments {
  Global<const float> pixels; /* [pictures][3][height][width] */
  Global<float> to;           /* [pictures * patches][3 * patch * patch] */
  int64_t count;              /* pixels of all pictures */
  int32_t height;
  int32_t width;
  int32_t patch;
  int32_t unused;
};

struct RealEmbedArguments {
  Global<const float> patches;   /* [pictures][tokens - leading][dim] */
  Global<const float> leading;   /* tokens before the patches, [leading][dim] */
  Global<const float> positions; /* from number `without` of a picture on; or null */
  Global<float> to;              /* [pictures][tokens][dim] */
  int64_t count;
  int32_t size;    /* of a picture: tokens * dim */
  int32_t first;   /* numbers of the leading tokens */
  int32_t without; /* numbers of the leading tokens that have no position */
  int32_t unused;
};

struct FillRowsArguments {
  Global<const float> row; /* [columns] */
  Global<float> to;        /* [rows][columns] */
  int64_t count;
  int64_t columns;
};

struct AddArguments {
  Global<const float> identity;
  Global<const float> branch;
  Global<float> to;
  Global<const float> factors; /* of the branch, by picture; or null for 1 */
  int64_t count;
  int32_t size; /* of a picture */
  int32_t unused;
};

struct RealPoolArguments {
  Global<const float> from; /* [pictures][tokens][channels] */
  Global<float> to;         /* [pictures][channels] */
  int32_t pictures;
  int32_t tokens;
  int32_t leading; /* the first tokens, which take no part */
  int32_t channels;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) unfold_reals(IVIT_ARGUMENTS(ivit::UnfoldArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[ivit::patch_place(i, a.height, a.width, a.patch)] = a.pixels[i];
  }
}

IVIT_KERNEL(256, 4) embed_reals(IVIT_ARGUMENTS(ivit::RealEmbedArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    int64_t picture = i / a.size;
    int place = (int)(i % a.size);
    float value = place < a.first
        ? a.leading[place]
        : a.patches[picture * (a.size - a.first) + (place - a.first)];
    bool positioned = ivit::present(a.positions) && place >= a.without;
    a.to[i] = positioned ? value + a.positions[place - a.without] : value;
  }
}

IVIT_KERNEL(256, 4) fill_rows(IVIT_ARGUMENTS(ivit::FillRowsArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[i] = a.row[i % a.columns];
  }
}

IVIT_KERNEL(256, 4) add_branch(IVIT_ARGUMENTS(ivit::AddArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float branch = a.branch[i];
    a.to[i] = a.identity[i] + (ivit::present(a.factors) ? a.factors[i / a.size] * branch : branch);
  }
}

IVIT_KERNEL(256, 4) pool_reals(IVIT_ARGUMENTS(ivit::RealPoolArguments) a) {
  for (int64_t i = ivit::thread_number(); i < (int64_t)a.pictures * a.channels;
       i += ivit::thread_count()) {
    auto from = a.from + i / a.channels * a.tokens * a.channels + i % a.channels;
    double sum = 0;
    for (int t = a.leading; t < a.tokens; t++) {
      sum += from[(int64_t)t * a.channels];
    }
    a.to[i] = (float)(sum / (a.tokens - a.leading));
  }
}
