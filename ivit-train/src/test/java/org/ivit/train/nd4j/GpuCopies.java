package org.ivit.train.nd4j;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Arrays whose newest numbers are on a GPU that is not there: the processor's copy of them is
 * useless until it is made current. While it is open it stands in for ND4J.
 */
final class GpuCopies implements HostCopies, AutoCloseable {
  private final List<Stale> stale = new ArrayList<>();
  private final List<String> written = new ArrayList<>();
  private final HostCopies before = NdMemory.replaceHostCopies(this);

  /** An array with what the GPU has of it. */
  private record Stale(INDArray array, double[] numbers) {}

  /** Has the GPU compute an array: what the processor has of it becomes useless. */
  void compute(INDArray array) {
    INDArray vector = array.reshape(array.length());
    stale.add(new Stale(vector, vector.toDoubleVector()));
    vector.assign(Double.NaN);
  }

  @Override
  public void makeCurrent(INDArray array) {
    for (Stale each : List.copyOf(stale)) {
      if (overlap(each.array, array)) {
        each.array.assign(Nd4j.createFromArray(each.numbers).castTo(each.array.dataType()));
        stale.remove(each);
      }
    }
  }

  @Override
  public void markNewest(INDArray array) {
    if (isStale(array)) {
      throw new AssertionError("written over numbers that the GPU alone has");
    }
    written.add(memory(array));
  }

  /** Whether the processor does not have the numbers of an array. */
  boolean isStale(INDArray array) {
    return stale.stream().anyMatch(each -> overlap(each.array, array));
  }

  /** The memory of the arrays that were written since the last call. */
  List<String> written() {
    List<String> found = List.copyOf(written);
    written.clear();
    return found;
  }

  /** Names the memory of an array. */
  static String memory(INDArray array) {
    return start(array) + " to " + end(array);
  }

  private static boolean overlap(INDArray a, INDArray b) {
    return start(a) < end(b) && start(b) < end(a);
  }

  private static long start(INDArray array) {
    return array.data().addressPointer().address();
  }

  private static long end(INDArray array) {
    return start(array) + array.length() * array.dataType().width();
  }

  @Override
  public void close() {
    NdMemory.replaceHostCopies(before);
  }
}
