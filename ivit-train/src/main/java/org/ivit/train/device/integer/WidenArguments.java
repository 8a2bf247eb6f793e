package org.ivit.train.device.integer;

import org.ivit.core.cuda.Structure;

/** What the kernel {@code widen_codes} takes. */
final class WidenArguments extends Structure {
  final Field<Long> codes = address();
  final Field<Long> to = address();
  final Field<Long> count = int64();
}
