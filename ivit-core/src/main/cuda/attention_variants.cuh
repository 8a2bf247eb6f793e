/*
 * Which kernels of attention there are: IVIT_ATTENTIONS(V) calls V with the end of a name, blocks on a
 * multiprocessor, steps of 32 channels of a head, what meets the values, whether there are windows, and
 * whether keys and values come in spans. AttentionGrid in Java chooses one.
 *
 * Windows have kernels of their own where models have windows, in heads of at most 64 channels whose
 * keys lie in shared memory; elsewhere a test at run time tells them.
 */
#pragma once

#define IVIT_ATTENTIONS_OF(V, kind, suffix)               \
  V(32##suffix, 2, 1, kind, NEVER, false)                 \
  V(32##suffix##_windows, 2, 1, kind, ALWAYS, false)      \
  V(32##suffix##_spans, 2, 1, kind, PERHAPS, true)        \
  V(64##suffix, 2, 2, kind, NEVER, false)                 \
  V(64##suffix##_windows, 2, 2, kind, ALWAYS, false)      \
  V(64##suffix##_spans, 2, 2, kind, PERHAPS, true)        \
  V(256##suffix, 1, 8, kind, PERHAPS, false)              \
  V(256##suffix##_spans, 1, 8, kind, PERHAPS, true)

#define IVIT_ATTENTIONS(V)                 \
  IVIT_ATTENTIONS_OF(V, WIDE, )            \
  IVIT_ATTENTIONS_OF(V, NARROW, _narrow)   \
  IVIT_ATTENTIONS_OF(V, DEFERRED, _deferred)
