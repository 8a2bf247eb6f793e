/* The engine's attention, by channels of a head at most and what meets the values. */
#pragma once

#include "attention.cuh"

IVIT_KERNEL(224, 2) attention_32(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<1, ivit::Probabilities::WIDE>(a);
}

IVIT_KERNEL(224, 2) attention_64(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<2, ivit::Probabilities::WIDE>(a);
}

IVIT_KERNEL(224, 1) attention_256(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<8, ivit::Probabilities::WIDE>(a);
}

IVIT_KERNEL(224, 2) attention_32_narrow(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<1, ivit::Probabilities::NARROW>(a);
}

IVIT_KERNEL(224, 2) attention_64_narrow(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<2, ivit::Probabilities::NARROW>(a);
}

IVIT_KERNEL(224, 1) attention_256_narrow(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<8, ivit::Probabilities::NARROW>(a);
}

IVIT_KERNEL(224, 2) attention_32_deferred(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<1, ivit::Probabilities::DEFERRED>(a);
}

IVIT_KERNEL(224, 2) attention_64_deferred(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<2, ivit::Probabilities::DEFERRED>(a);
}

IVIT_KERNEL(224, 1) attention_256_deferred(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {
  ivit::attention<8, ivit::Probabilities::DEFERRED>(a);
}
