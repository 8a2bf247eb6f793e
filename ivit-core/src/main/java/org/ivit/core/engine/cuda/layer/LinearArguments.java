package org.ivit.core.engine.cuda.layer;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Structure;

/** What the kernels {@code linear_*} take. */
public final class LinearArguments extends Structure {
  public final Field<Long> input = address();
  public final Field<Long> weight = address();
  public final Field<Long> channels = address();
  public final Field<Long> codes = address();
  public final Field<Long> tables = address();
  public final Field<Long> identity = address();
  public final Field<Long> stream = address();
  public final Field<Long> logits = address();
  public final Field<RowMap> map = structure(RowMap.same(1).fields(), RowMap::fields);
  public final Field<Adder> adder = structure(new Adder());
  public final Field<IndexArguments> indices = structure(new IndexArguments());
  public final Field<Integer> rows = int32();
  public final Field<Integer> columns = int32();
  public final Field<Integer> depth = int32();
  public final Field<Integer> inputStride = int32();
  public final Field<Integer> outputStride = int32();
  public final Field<Integer> outlierSteps = int32();
  public final Field<Integer> outlierShift = int32();
  public final Field<Integer> wide = int32();
  public final Field<Integer> outlierColumns = int32();
  public final Field<Integer> bits = int32();
  public final Field<Integer> identityStride = int32();
  public final Field<Integer> accumulate = int32();

  /** How a branch and an identity are added. */
  static final class Adder extends Structure {
    private final Field<Dyadic> branch = dyadic();
    private final Field<Dyadic> identity = dyadic();

    static Adder of(Dyadic branch, Dyadic identity) {
      Adder adder = new Adder();
      adder.branch.set(branch);
      adder.identity.set(identity);
      return adder;
    }
  }

  /** Weights are codes of 8 bits. */
  public void withoutIndices() {
    indices.set(IndexArguments.none());
  }

  /** Codes go through no tables. */
  public void withoutTables() {
    tables.set(0L);
    outlierColumns.set(0);
  }

  /** Nothing is added to a stream. */
  public void withoutSum() {
    Dyadic one = new Dyadic(1 << 30, 30);
    identity.set(0L);
    identityStride.set(0);
    adder.set(Adder.of(one, one));
  }

  /** There are no logits. */
  public void withoutLogits() {
    logits.set(0L);
    accumulate.set(0);
  }
}
