package org.ivit.core.engine.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.ivit.core.InputException;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.Processor;
import org.ivit.core.engine.jni.KernelSets;
import org.ivit.core.engine.jni.NativeLibrary;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.ClearedProperties;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CpuEnginesTest {
  private final IntegerGraph graph = ObservedModel.small();

  @RegisterExtension
  final ClearedProperties properties = new ClearedProperties(EngineConfig.KERNELS);

  private Engine open() {
    return CpuEngines.open(graph, EngineConfig.standard(), "test");
  }

  @Test
  void takesTheFastestKernelsThatRunHereAndSaysWhyNotFaster() {
    try (Engine engine = open()) {
      assertThat(engine.name()).isEqualTo("cpu");
      for (String name : KernelSets.fast()) {
        String unavailable = NativeLibrary.unavailable(name);
        if (unavailable == null) {
          assertThat(engine.description()).startsWith("cpu: native kernels " + name + " on ");
          assertThat(engine.backend().kernels()).isEqualTo(name);
          assertThat(engine.backend().processor()).isEqualTo(Processor.name());
          return;
        }
        assertThat(engine.description()).contains(unavailable);
      }
      assertThat(engine.description()).startsWith("cpu: portable Java on ");
    }
  }

  @ParameterizedTest
  @MethodSource("org.ivit.core.engine.jni.KernelSets#all")
  void runsWhatThePropertyNamesOrSaysWhyNot(String name) {
    System.setProperty(EngineConfig.KERNELS, name);
    String unavailable = NativeLibrary.unavailable(name);
    if (unavailable == null) {
      try (Engine engine = open()) {
        assertThat(engine.description())
            .startsWith("cpu: native kernels " + name + " on ")
            .endsWith(" threads (test; " + name + " by property ivit.cpu)");
      }
    } else {
      String expected =
          CpuEngines.names().contains(name)
              ? unavailable
              : "expected one of " + String.join(", ", CpuEngines.names());
      assertThatThrownBy(this::open)
          .isInstanceOf(InputException.class)
          .hasMessage("property ivit.cpu: '" + name + "', " + expected);
    }
  }

  @Test
  void portableJavaCanBeAskedFor() {
    System.setProperty(EngineConfig.KERNELS, " java ");
    try (Engine engine = Engines.open(graph, "cpu")) {
      assertThat(engine).isInstanceOf(PortableEngine.class);
      assertThat(engine.description())
          .startsWith("cpu: portable Java on ")
          .endsWith(" threads (asked for by name; java by property ivit.cpu)");
      assertThat(engine.backend().line())
          .isEqualTo("portable Java (asked for by name; java by property ivit.cpu)");
      assertThat(engine.backend().threads()).isEqualTo(WorkerPool.shared().threads());
    }
  }

  @Test
  void refusesAnUnknownNameAndListsTheKnown() {
    System.setProperty(EngineConfig.KERNELS, "sse");
    assertThatThrownBy(this::open)
        .isInstanceOf(InputException.class)
        .hasMessage(
            "property ivit.cpu: 'sse', expected one of %s", String.join(", ", CpuEngines.names()));
  }

  @Test
  void theseNativesLoadOnLinux() {
    assumeTrue(
        NativeLibrary.class.getResource("/native/linux-x86_64/libivit.so") != null,
        "built without native kernels");
    assumeTrue(System.getProperty("os.name").equals("Linux"), "not on Linux");
    assertThat(NativeLibrary.unavailable("c")).isNull();
  }
}
