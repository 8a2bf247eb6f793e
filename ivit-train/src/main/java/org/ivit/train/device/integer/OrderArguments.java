package org.ivit.train.device.integer;

import org.ivit.core.cuda.Structure;

/** What the kernel {@code order_channels} takes. */
final class OrderArguments extends Structure {
  final Field<Long> from = address();
  final Field<Long> to = address();
  final Field<Long> source = address();
  final Field<Long> rows = int64();
  final Field<Long> paddedRows = int64();
  final Field<Integer> fromStride = int32();
  final Field<Integer> length = int32();
}
