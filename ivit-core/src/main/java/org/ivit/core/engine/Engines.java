package org.ivit.core.engine;

import java.util.List;
import java.util.function.BiFunction;
import org.ivit.core.InputException;
import org.ivit.core.engine.cpu.CpuProviders;
import org.ivit.core.engine.cuda.CudaEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;

/**
 * Chooses an engine: the one that is asked for by name or by the property {@value #PROPERTY}, or
 * else the fastest that runs on a processor. What the engine {@code cpu} runs on is up to {@link
 * CpuProviders}; the engine {@code cuda} needs an NVIDIA GPU and is taken only when it is asked
 * for.
 */
public final class Engines {
  /** The system property that names an engine. */
  public static final String PROPERTY = "ivit.engine";

  /** An engine that can be made from a graph and the reason why it was chosen. */
  private record Kind(String name, BiFunction<IntegerGraph, String, Engine> open) {}

  /** The one that is taken unasked first: it runs on every machine. */
  private static final List<Kind> KINDS =
      List.of(
          new Kind("cpu", (graph, why) -> CpuProviders.open(graph, WorkerPool.shared(), why)),
          new Kind("cuda", CudaEngine::open),
          new Kind("reference", ReferenceEngine::new));

  private Engines() {}

  /** Returns the names that can be asked for. */
  public static List<String> names() {
    return KINDS.stream().map(Kind::name).toList();
  }

  /**
   * Opens the engine of the property {@value #PROPERTY}, or the fastest where it is not set.
   *
   * @param graph what it runs
   * @throws InputException if the property names no engine
   */
  public static Engine open(IntegerGraph graph) {
    String name = System.getProperty(PROPERTY);
    if (name == null || name.isBlank()) {
      return KINDS.get(0).open.apply(graph, "the fastest that runs here");
    }
    return find(name.strip(), "property " + PROPERTY)
        .open
        .apply(graph, "asked for by property " + PROPERTY);
  }

  /**
   * Opens an engine by name, whatever the property says.
   *
   * @param graph what it runs
   * @param name one of {@link #names}, or null for the choice of {@link #open(IntegerGraph)}
   * @throws InputException if there is no such engine
   */
  public static Engine open(IntegerGraph graph, String name) {
    return name == null ? open(graph) : find(name, "engine").open.apply(graph, "asked for by name");
  }

  private static Kind find(String name, String where) {
    return KINDS.stream()
        .filter(kind -> kind.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new InputException(
                    where + ": '" + name + "', expected one of " + String.join(", ", names())));
  }
}
