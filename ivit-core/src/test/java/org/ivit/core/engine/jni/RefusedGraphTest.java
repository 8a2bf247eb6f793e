package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Residual;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.ClearedProperties;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A graph that the native kernels cannot hold runs on portable Java. */
class RefusedGraphTest {
  private static final String REASON = "blocks.0: a ratio of scales is too large";

  @RegisterExtension
  final ClearedProperties properties = new ClearedProperties(EngineConfig.KERNELS);

  private final IntegerGraph graph = withLargeRatio(ObservedModel.small());

  @Test
  void isRefusedByName() {
    String kernels = Providers.here().get(0);
    assertThatThrownBy(() -> new NativeEngine(graph, WorkerPool.shared(), kernels, "test"))
        .isInstanceOf(RefusedGraphException.class)
        .hasMessage(REASON);
  }

  @Test
  void runsOnPortableJavaWhichSaysWhy() {
    Providers.require("avx2");
    byte[] codes = new byte[3 * 3 * 4 * 4];
    new Random(1).nextBytes(codes);
    try (Engine engine = Engines.open(graph, "cpu");
        ReferenceEngine reference = new ReferenceEngine(graph)) {
      assertThat(engine.description())
          .startsWith("cpu: portable Java on ")
          .endsWith("; native kernels cannot hold this model, " + REASON + ")");
      assertThat(engine.logits(codes, 3)).isEqualTo(reference.logits(codes, 3));
    }
  }

  @Test
  void cannotBeForced() {
    String kernels = Providers.here().get(0);
    System.setProperty(EngineConfig.KERNELS, kernels);
    assertThatThrownBy(() -> Engines.open(graph, "cpu"))
        .isInstanceOf(InputException.class)
        .hasMessage("property ivit.cpu: '" + kernels + "' cannot hold this model, " + REASON);
  }

  private static IntegerGraph withLargeRatio(IntegerGraph g) {
    IntegerBlock b = g.blocks().get(0);
    Residual r = b.residual1();
    Residual large = new Residual(r.name(), new Dyadic(1 << 30, 16), r.identity(), 1);
    IntegerBlock block =
        new IntegerBlock(
            b.part(),
            b.norm1(),
            b.qkv(),
            b.rotation(),
            b.attention(),
            b.proj(),
            large,
            b.norm2(),
            b.fc1(),
            b.gelu(),
            b.value(),
            b.gating(),
            b.mlpNorm(),
            b.fc2(),
            b.residual2());
    return new IntegerGraph(
        g.architecture(), g.scheme(), g.inputScale(), List.of(g.parts().get(0), block, g.head()));
  }
}
