package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.InputException;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EnginesTest {
  private final IntegerGraph graph = ObservedModel.small();
  private String before;

  @BeforeEach
  void clear() {
    before = System.clearProperty(Engines.PROPERTY);
  }

  @AfterEach
  void restore() {
    if (before == null) {
      System.clearProperty(Engines.PROPERTY);
    } else {
      System.setProperty(Engines.PROPERTY, before);
    }
  }

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
    System.setProperty(Engines.PROPERTY, "reference");
    try (Engine engine = Engines.open(graph)) {
      assertThat(engine.description())
          .isEqualTo(
              "reference: scalar Java on 1 thread (asked for by property "
                  + Engines.PROPERTY
                  + ")");
    }
  }

  @Test
  void aNameGoesBeforeTheProperty() {
    System.setProperty(Engines.PROPERTY, "reference");
    try (Engine engine = Engines.open(graph, "cpu")) {
      assertThat(engine.name()).isEqualTo("cpu");
      assertThat(engine.description()).contains("(asked for by name");
    }
    try (Engine engine = Engines.open(graph, null)) {
      assertThat(engine.name()).isEqualTo("reference");
    }
  }

  @Test
  void refusesAnUnknownNameAndListsTheKnown() {
    assertThat(Engines.names()).containsExactly("cpu", "cuda", "reference");
    assertThatThrownBy(() -> Engines.open(graph, "gpu"))
        .isInstanceOf(InputException.class)
        .hasMessage("engine: 'gpu', expected one of cpu, cuda, reference");
    System.setProperty(Engines.PROPERTY, "fast");
    assertThatThrownBy(() -> Engines.open(graph))
        .isInstanceOf(InputException.class)
        .hasMessage("property ivit.engine: 'fast', expected one of cpu, cuda, reference");
  }
}
