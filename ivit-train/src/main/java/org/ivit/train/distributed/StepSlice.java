package org.ivit.train.distributed;

import java.util.stream.IntStream;
import org.ivit.core.parallel.WorkerPool;

/**
 * Which pictures of a micro-batch are whose. Mixing pairs a picture with the one at the same place
 * counted from the end, so that whoever has both needs no other pictures.
 */
public final class StepSlice {
  private StepSlice() {}

  /**
   * @param batch pictures of the micro-batch
   * @param part which part, from 0
   * @param parts in how many parts it is cut
   * @return places in the micro-batch, ascending; none where there are more parts than pairs
   */
  public static int[] places(int batch, int part, int parts) {
    int pairs = (batch + 1) / 2;
    int from = WorkerPool.start(pairs, part, parts);
    int to = WorkerPool.start(pairs, part + 1, parts);
    return IntStream.concat(
            IntStream.range(from, to), IntStream.range(from, to).map(i -> batch - 1 - i))
        .sorted()
        .distinct()
        .toArray();
  }
}
