package org.ivit.core.engine.choice;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.cuda.CudaEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;

/**
 * Chooses an engine: the one that is asked for, or else the fastest that runs on a processor. The
 * engine {@code cuda} needs an NVIDIA GPU and is taken only when it is asked for.
 */
public final class Engines {
  /** Opens an engine. */
  private interface Opening {
    Engine open(IntegerGraph graph, EngineConfig config, String why);
  }

  private record Kind(String name, Opening opening) {}

  /** The one that is taken unasked first: it runs on every machine. */
  private static final List<Kind> KINDS =
      List.of(
          new Kind("cpu", CpuEngines::open),
          new Kind("cuda", (graph, config, why) -> CudaEngine.open(graph, config.gpu(), why)),
          new Kind("reference", (graph, config, why) -> new ReferenceEngine(graph, why)));

  private Engines() {}

  /** Returns the names that can be asked for. */
  public static List<String> names() {
    return KINDS.stream().map(Kind::name).toList();
  }

  /**
   * Opens an engine as {@link EngineConfig#standard} says.
   *
   * @param graph what it runs
   * @throws InputException as {@link #open(IntegerGraph, EngineConfig)}, and if a system property
   *     is no number
   */
  public static Engine open(IntegerGraph graph) {
    return open(graph, EngineConfig.standard());
  }

  /**
   * Opens an engine by name, whatever the property says.
   *
   * @param graph what it runs
   * @param name one of {@link #names}
   * @throws InputException as {@link #open(IntegerGraph)}
   */
  public static Engine open(IntegerGraph graph, String name) {
    return open(graph, EngineConfig.standard().withEngine(name));
  }

  /**
   * Opens an engine.
   *
   * @param graph what it runs
   * @param config which, on what, with how many threads
   * @throws InputException if there is no such engine, or if it does not run here or cannot hold
   *     the graph
   */
  public static Engine open(IntegerGraph graph, EngineConfig config) {
    Asked asked = config.engine();
    if (asked == null) {
      return KINDS.get(0).opening.open(graph, config, "the fastest that runs here");
    }
    asked.requireOneOf("engine", names());
    return KINDS.stream()
        .filter(kind -> kind.name.equals(asked.name()))
        .findFirst()
        .orElseThrow()
        .opening
        .open(graph, config, "asked for " + asked.by());
  }
}
