/* The engine's attention. */
#pragma once

#include "attention.cuh"
#include "attention_variants.cuh"

#define IVIT_ATTENTION(name, blocks, steps, kind, windows, spans)                        \
  IVIT_KERNEL(224, blocks) attention_##name(IVIT_ARGUMENTS(ivit::AttentionArguments) a) { \
    ivit::await_previous_grid();                                                         \
    ivit::Unobserved nobody;                                                             \
    ivit::attention<steps, ivit::Probabilities::kind, ivit::Windows::windows, spans>(    \
        a, nobody);                                                                      \
  }

IVIT_ATTENTIONS(IVIT_ATTENTION)

#undef IVIT_ATTENTION
