package org.ivit.spark.dataset;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.ivit.core.dataset.EncodedDataset;

/** Reads pictures as a loader does that is closed before its end. */
final class Interrupter {
  private Interrupter() {}

  /** Reads in four threads, which are interrupted after the first picture; so many times. */
  static void readAndInterrupt(EncodedDataset set, int rounds) throws Exception {
    for (int round = 0; round < rounds; round++) {
      ExecutorService threads = Executors.newFixedThreadPool(4);
      List<Future<byte[]>> pictures = new ArrayList<>();
      for (int i = 0; i < set.size(); i++) {
        int index = (i * 37 + round) % set.size();
        pictures.add(threads.submit(() -> set.encoded(index)));
      }
      pictures.get(0).get();
      threads.shutdownNow();
      if (!threads.awaitTermination(1, TimeUnit.MINUTES)) {
        throw new AssertionError("a thread did not end");
      }
    }
  }
}
