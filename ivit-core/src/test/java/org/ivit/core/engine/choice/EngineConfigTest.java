package org.ivit.core.engine.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.InputException;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.engine.Engine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.ClearedProperties;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EngineConfigTest {
  @RegisterExtension
  final ClearedProperties properties =
      new ClearedProperties(
          EngineConfig.ENGINE,
          EngineConfig.KERNELS,
          EngineConfig.GPU,
          EngineConfig.WARPGROUPS,
          EngineConfig.TENSOR_MAPS,
          EngineConfig.DEPENDENT_LAUNCHES,
          WorkerPool.PROPERTY);

  private final IntegerGraph graph = ObservedModel.small();

  @Test
  void standsForTheProperties() {
    EngineConfig nothing = EngineConfig.standard();
    assertThat(nothing).isEqualTo(new EngineConfig(null, null, 0, Gpu.FIRST));
    assertThat(nothing.pool().threads()).isEqualTo(WorkerPool.processors());
    System.setProperty(EngineConfig.ENGINE, "cpu");
    System.setProperty(EngineConfig.KERNELS, "java");
    System.setProperty(EngineConfig.GPU, " 2 ");
    System.setProperty(EngineConfig.WARPGROUPS, "true");
    System.setProperty(EngineConfig.TENSOR_MAPS, "true");
    System.setProperty(EngineConfig.DEPENDENT_LAUNCHES, "false");
    System.setProperty(WorkerPool.PROPERTY, "3");
    EngineConfig config = EngineConfig.standard();
    assertThat(config)
        .isEqualTo(
            new EngineConfig(
                new Asked("cpu", "ivit.engine"),
                new Asked("java", "ivit.cpu"),
                3,
                new Gpu(2, true, true, false)));
    assertThat(config.namedEngine()).isNull();
    assertThat(nothing.pool().threads()).isEqualTo(WorkerPool.processors());
  }

  @Test
  void aCallGoesBeforeTheProperties() {
    System.setProperty(EngineConfig.ENGINE, "reference");
    System.setProperty(EngineConfig.KERNELS, "sse");
    System.setProperty(WorkerPool.PROPERTY, "3");
    EngineConfig standard = EngineConfig.standard();
    EngineConfig java = standard.withEngine("cpu").withKernels("java").withThreads(2);
    assertThat(java.namedEngine()).isEqualTo("cpu");
    try (Engine here = Engines.open(graph, java);
        Engine beside = Engines.open(graph, java.withThreads(1));
        Engine other = Engines.open(graph, standard)) {
      assertThat(here.description())
          .isEqualTo("cpu: portable Java on 2 threads (asked for by name; java by name)");
      assertThat(beside.backend().threads()).isEqualTo(1);
      assertThat(other.name()).isEqualTo("reference");
      byte[] codes = new byte[48];
      assertThat(here.logits(codes, 1))
          .isEqualTo(beside.logits(codes, 1))
          .isEqualTo(other.logits(codes, 1));
    }
  }

  @Test
  void refusesWhatIsNotThere() {
    EngineConfig cpu = EngineConfig.standard().withEngine("cpu");
    assertThatThrownBy(() -> Engines.open(graph, cpu.withKernels("sse")))
        .isInstanceOf(InputException.class)
        .hasMessage("kernels: 'sse', expected one of " + String.join(", ", CpuEngines.names()));
    assertThatThrownBy(() -> cpu.withThreads(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> cpu.withThreads(1025)).isInstanceOf(IllegalArgumentException.class);
    System.setProperty(EngineConfig.GPU, "first");
    assertThatThrownBy(EngineConfig::standard)
        .isInstanceOf(InputException.class)
        .hasMessage("property ivit.gpu: 'first', expected a number from 0");
  }
}
