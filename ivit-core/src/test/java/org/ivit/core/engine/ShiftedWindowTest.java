package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.testing.ShiftedWindow;
import org.junit.jupiter.api.Test;

class ShiftedWindowTest {
  private static void agrees(EngineConfig config) {
    IntegerGraph graph = ShiftedWindow.graph();
    byte[] codes = new byte[3 * graph.architecture().pixels()];
    new Random(2).nextBytes(codes);
    try (Engine reference = new ReferenceEngine(graph);
        Engine engine = Engines.open(graph, config)) {
      assertThat(engine.logits(codes, 3)).isEqualTo(reference.logits(codes, 3));
    }
  }

  @Test
  void theFastestKernelsAgree() {
    agrees(EngineConfig.standard().withEngine("cpu"));
  }

  @Test
  void portableJavaAgrees() {
    agrees(EngineConfig.standard().withEngine("cpu").withKernels("java"));
  }
}
