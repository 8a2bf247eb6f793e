package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.junit.jupiter.api.Test;

class OrderedPassTest {
  private static final List<String> NODES = List.of("a", "b", "c", "d");
  private static final int BATCHES = 7;

  private static NodeValues values(String node, int batch) {
    return new NodeValues(
        new Node(node, NodeKind.QKV), new float[] {batch}, 1, OutlierChannels.NONE);
  }

  private static int forward(NodeObserver observer, int batch) {
    NODES.forEach(node -> observer.observe(values(node, batch)));
    return batch;
  }

  @Test
  void eachNodeMeetsTheBatchesInTheirOrder() {
    Map<String, List<Float>> seen = new ConcurrentHashMap<>();
    NodeObserver keeper =
        values -> {
          seen.computeIfAbsent(values.node().name(), node -> new ArrayList<>())
              .add(values.values()[0]);
          return new Range(0, 1);
        };
    try (WorkerPool pool = new WorkerPool(3)) {
      for (int repeat = 0; repeat < 20; repeat++) {
        seen.clear();
        OrderedPass pass = new OrderedPass(keeper, BATCHES);
        int[] results = new int[BATCHES];
        pool.run(BATCHES, i -> results[i] = pass.run(i, observer -> forward(observer, i)));
        assertThat(results).containsExactly(0, 1, 2, 3, 4, 5, 6);
        assertThat(seen).containsOnlyKeys(NODES);
        assertThat(seen.values()).allMatch(List.of(0f, 1f, 2f, 3f, 4f, 5f, 6f)::equals);
      }
    }
  }

  @Test
  void aFailureEndsTheBatchesThatWait() {
    NodeObserver refuses =
        values -> {
          if (values.node().name().equals("c") && values.values()[0] == 2) {
            throw new InputException("batch 2");
          }
          return new Range(0, 1);
        };
    try (WorkerPool pool = new WorkerPool(4)) {
      for (int repeat = 0; repeat < 20; repeat++) {
        OrderedPass pass = new OrderedPass(refuses, BATCHES);
        assertThatThrownBy(
                () -> pool.run(BATCHES, i -> pass.run(i, observer -> forward(observer, i))))
            .isInstanceOf(InputException.class)
            .hasMessage("batch 2");
      }
    }
  }
}
