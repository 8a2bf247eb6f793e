/* Codes as reals, and in a wider type. */
#pragma once

#include "reals.cuh"

namespace ivit {

struct DequantizeArguments {
  Global<const int8_t> codes;  /* [rows][length] */
  Global<const float> scales;  /* by row */
  Global<float> to;            /* [rows][length] */
  int64_t count;
  int64_t length;
};

struct CodesArguments {
  Global<const int8_t> codes;  /* [rows][columns] */
  Global<const float> factors; /* by column; or null */
  Global<float> to;            /* [rows][columns] */
  int64_t count;
  int64_t columns;
};

struct WidenArguments {
  Global<const int8_t> codes;
  Global<int16_t> to;
  int64_t count;
};

}  // namespace ivit

IVIT_KERNEL(256, 4) dequantize_rows(IVIT_ARGUMENTS(ivit::DequantizeArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[i] = a.codes[i] * a.scales[i / a.length];
  }
}

IVIT_KERNEL(256, 4) widen_codes(IVIT_ARGUMENTS(ivit::WidenArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[i] = a.codes[i];
  }
}

IVIT_KERNEL(256, 4) codes_to_reals(IVIT_ARGUMENTS(ivit::CodesArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float code = a.codes[i];
    a.to[i] = ivit::present(a.factors) ? code * a.factors[i % a.columns] : code;
  }
}
