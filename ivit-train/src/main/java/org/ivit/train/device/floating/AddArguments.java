package org.ivit.train.device.floating;

import org.ivit.core.cuda.Structure;

/** What the kernel {@code add_branch} takes. */
final class AddArguments extends Structure {
  final Field<Long> identity = address();
  final Field<Long> branch = address();
  final Field<Long> to = address();
  final Field<Long> factors = address();
  final Field<Long> count = int64();
  final Field<Integer> size = int32();
  final Field<Integer> unused = unused();
}
