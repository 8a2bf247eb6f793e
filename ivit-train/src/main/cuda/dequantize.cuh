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
  Global<const unsigned char> codes;
  Global<unsigned char> to;
  int64_t count;
};

template <typename From, typename To>
IVIT_DEVICE void widen_codes(const WidenArguments &a) {
  auto codes = as<const From>(a.codes);
  auto to = as<To>(a.to);
  for (int64_t i = thread_number(); i < a.count; i += thread_count()) {
    to[i] = codes[i];
  }
}

}  // namespace ivit

IVIT_KERNEL(256, 4) dequantize_rows(IVIT_ARGUMENTS(ivit::DequantizeArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    a.to[i] = a.codes[i] * a.scales[i / a.length];
  }
}

IVIT_KERNEL(256, 4) widen_codes_8(IVIT_ARGUMENTS(ivit::WidenArguments) a) {
  ivit::widen_codes<int8_t, int16_t>(a);
}

/* To an answer. */
IVIT_KERNEL(256, 4) widen_codes_16(IVIT_ARGUMENTS(ivit::WidenArguments) a) {
  ivit::widen_codes<int16_t, int32_t>(a);
}

IVIT_KERNEL(256, 4) codes_to_reals(IVIT_ARGUMENTS(ivit::CodesArguments) a) {
  for (int64_t i = ivit::thread_number(); i < a.count; i += ivit::thread_count()) {
    float code = a.codes[i];
    a.to[i] = ivit::present(a.factors) ? code * a.factors[i % a.columns] : code;
  }
}
