package org.ivit.core.engine.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.InputException;
import org.ivit.core.engine.Engine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.testing.ClearedProperties;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EnginesTest {
  private final IntegerGraph graph = ObservedModel.small();

  @RegisterExtension
  final ClearedProperties properties = new ClearedProperties(EngineConfig.ENGINE);

  @Test
  void takesTheFastestUnasked() {
    try (Engine engine = Engines.open(graph)) {
      assertThat(engine.name()).isEqualTo("cpu");
      assertThat(engine.description())
          .startsWith("cpu: ")
          .contains(" on ", " threads (the fastest that runs here");
    }
  }

  @Test
  void takesTheOneThatThePropertyNames() {
    System.setProperty(EngineConfig.ENGINE, "reference");
    try (Engine engine = Engines.open(graph)) {
      assertThat(engine.description())
          .isEqualTo(
              "reference: scalar Java on 1 thread (asked for by property "
                  + EngineConfig.ENGINE
                  + ")");
    }
  }

  @Test
  void aNameGoesBeforeTheProperty() {
    System.setProperty(EngineConfig.ENGINE, "reference");
    try (Engine engine = Engines.open(graph, "cpu")) {
      assertThat(engine.name()).isEqualTo("cpu");
      assertThat(engine.description()).contains("(asked for by name");
    }
    try (Engine engine = Engines.open(graph, EngineConfig.standard().withEngine(null))) {
      assertThat(engine.name()).isEqualTo("reference");
    }
  }

  @Test
  void refusesAnUnknownNameAndListsTheKnown() {
    assertThat(Engines.names()).containsExactly("cpu", "cuda", "reference");
    assertThatThrownBy(() -> Engines.open(graph, "gpu"))
        .isInstanceOf(InputException.class)
        .hasMessage("engine: 'gpu', expected one of cpu, cuda, reference");
    System.setProperty(EngineConfig.ENGINE, "fast");
    assertThatThrownBy(() -> Engines.open(graph))
        .isInstanceOf(InputException.class)
        .hasMessage("property ivit.engine: 'fast', expected one of cpu, cuda, reference");
  }
}
