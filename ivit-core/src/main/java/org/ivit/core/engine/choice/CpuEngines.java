package org.ivit.core.engine.choice;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.InputException;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.Processor;
import org.ivit.core.engine.jni.KernelSets;
import org.ivit.core.engine.jni.NativeEngine;
import org.ivit.core.engine.jni.NativeLibrary;
import org.ivit.core.engine.jni.NotLoaded;
import org.ivit.core.engine.jni.RefusedGraphException;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses what the engine {@code cpu} runs on: what is asked for, or else the fastest that runs
 * here and holds the graph. Where faster kernels exist for this platform and cannot be used, a line
 * of the log warns, once a process, and says how to come by them; where none exist, it only says
 * so.
 */
final class CpuEngines {
  private static final String JAVA = "java";

  private static final Logger LOG = LoggerFactory.getLogger(CpuEngines.class);

  /** What was said already: once in a process is enough. */
  private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

  private CpuEngines() {}

  /** Returns the names that can be asked for, fastest first. */
  static List<String> names() {
    List<String> names = new ArrayList<>(KernelSets.fast());
    names.add(JAVA);
    names.add(KernelSets.PORTABLE);
    return names;
  }

  /**
   * Opens the engine {@code cpu}.
   *
   * @param graph any model
   * @param config its kernels and threads
   * @param why why this engine was chosen, for {@link Engine#description}
   * @throws InputException if the kernels are unknown, do not run here or cannot hold the graph
   */
  static Engine open(IntegerGraph graph, EngineConfig config, String why) {
    Asked asked = config.kernels();
    Engine engine =
        asked == null
            ? fastest(graph, config.pool(), why)
            : forced(graph, config.pool(), asked, why);
    LOG.debug("{}; processor {}", engine.description(), Processor.name());
    return engine;
  }

  private static Engine forced(IntegerGraph graph, WorkerPool pool, Asked asked, String why) {
    asked.requireOneOf("kernels", names());
    String name = asked.name();
    String reason = why + "; " + name + " " + asked.by();
    if (name.equals(JAVA)) {
      return new PortableEngine(graph, pool, reason);
    }
    String unavailable = NativeLibrary.unavailable(name);
    if (unavailable != null) {
      throw asked.refused("kernels", ", " + unavailable, null);
    }
    try {
      return new NativeEngine(graph, pool, name, reason);
    } catch (RefusedGraphException e) {
      throw asked.refused("kernels", " cannot hold this model, " + e.getMessage(), e);
    }
  }

  private static Engine fastest(IntegerGraph graph, WorkerPool pool, String why) {
    StringBuilder reason = new StringBuilder(why);
    String last = "";
    NotLoaded missing = NativeLibrary.missing();
    String lost = missing != null && NativeLibrary.isExpected() ? missing.line() : null;
    for (String name : KernelSets.fast()) {
      String unavailable = NativeLibrary.unavailable(name);
      if (unavailable == null) {
        try {
          return new NativeEngine(graph, pool, name, reason.toString());
        } catch (RefusedGraphException e) {
          unavailable = "native kernels cannot hold this model, " + e.getMessage();
          lost = unavailable;
        }
      }
      if (!unavailable.equals(last)) {
        reason.append("; ").append(unavailable);
      }
      last = unavailable;
    }
    if (lost != null) {
      if (SAID.add(lost)) {
        LOG.warn("slower than it could be: portable Java instead of native kernels; {}", lost);
      }
    } else if (missing != null && SAID.add(missing.reason())) {
      LOG.info("portable Java runs: {}", missing.reason());
    }
    return new PortableEngine(graph, pool, reason.toString());
  }
}
