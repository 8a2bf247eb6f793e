package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.Structure;

/** Weights of fewer than 8 bits, as the kernels {@code linear_*_indices} take them. */
final class IndexArguments extends Structure {
  final Field<Long> low = address();
  final Field<Long> planes = address();
  final Field<Long> multipliers = address();
  final Field<Long> tables = address();
  final Field<Long> places = address();
  final Field<Long> outliers = address();
  final Field<Long> plane = int64();
  final Field<Integer> bits = int32();
  final Field<Integer> shift = int32();
  final Field<Integer> groups = int32();
  final Field<Integer> groupChunks = int32();

  /** Those of kernels that read codes. */
  static IndexArguments none() {
    IndexArguments none = new IndexArguments();
    none.low.set(0L);
    none.planes.set(0L);
    none.multipliers.set(0L);
    none.tables.set(0L);
    none.places.set(0L);
    none.outliers.set(0L);
    none.plane.set(0L);
    none.bits.set(0);
    none.shift.set(0);
    none.groups.set(0);
    none.groupChunks.set(0);
    return none;
  }
}
