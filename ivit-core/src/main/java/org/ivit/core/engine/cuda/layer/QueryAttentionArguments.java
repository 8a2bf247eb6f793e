package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.Structure;

/** What the kernel {@code query_attention} takes. */
public final class QueryAttentionArguments extends Structure {
  public final Field<Long> scores = address();
  public final Field<Long> values = address();
  public final Field<Long> context = address();
  public final Field<Long> place = address();
  public final Field<Long> channels = address();
  public final Field<Long> exponentials = address();
  public final Field<Integer> tokens = int32();
  public final Field<Integer> headDim = int32();
  public final Field<Integer> scoreStride = int32();
  public final Field<Integer> valueStride = int32();
  public final Field<Integer> contextStride = int32();
  public final Field<Integer> rounding = int32();
  public final Field<Integer> bits = int32();
  public final Field<Integer> deferred = int32();
  public final Field<Integer> wide = int32();
  final Field<Integer> unused = unused();
}
