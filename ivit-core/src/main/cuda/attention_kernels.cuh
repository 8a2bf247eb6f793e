/*
 * The engine's attention, by channels of a head at most, what meets the values, and whether keys and
 * values come in spans.
 */
#pragma once

#include "attention.cuh"

#define IVIT_ATTENTION(name, blocks, steps, kind, spans)                                        \
  IVIT_KERNEL(224, blocks) attention_##name(IVIT_ARGUMENTS(ivit::AttentionArguments) a) {       \
    ivit::await_previous_grid();                                                                \
    ivit::Unobserved nobody;                                                                    \
    ivit::attention<steps, ivit::Probabilities::kind, spans>(a, nobody);                        \
  }

IVIT_ATTENTION(32, 2, 1, WIDE, false)
IVIT_ATTENTION(64, 2, 2, WIDE, false)
IVIT_ATTENTION(256, 1, 8, WIDE, false)
IVIT_ATTENTION(32_narrow, 2, 1, NARROW, false)
IVIT_ATTENTION(64_narrow, 2, 2, NARROW, false)
IVIT_ATTENTION(256_narrow, 1, 8, NARROW, false)
IVIT_ATTENTION(32_deferred, 2, 1, DEFERRED, false)
IVIT_ATTENTION(64_deferred, 2, 2, DEFERRED, false)
IVIT_ATTENTION(256_deferred, 1, 8, DEFERRED, false)
IVIT_ATTENTION(32_spans, 2, 1, WIDE, true)
IVIT_ATTENTION(64_spans, 2, 2, WIDE, true)
IVIT_ATTENTION(256_spans, 1, 8, WIDE, true)
IVIT_ATTENTION(32_narrow_spans, 2, 1, NARROW, true)
IVIT_ATTENTION(64_narrow_spans, 2, 2, NARROW, true)
IVIT_ATTENTION(256_narrow_spans, 1, 8, NARROW, true)
IVIT_ATTENTION(32_deferred_spans, 2, 1, DEFERRED, true)
IVIT_ATTENTION(64_deferred_spans, 2, 2, DEFERRED, true)
IVIT_ATTENTION(256_deferred_spans, 1, 8, DEFERRED, true)

#undef IVIT_ATTENTION
