package org.ivit.core.engine.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.InputException;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.Processor;
import org.ivit.core.engine.jni.NativeEngine;
import org.ivit.core.engine.jni.NativeLibrary;
import org.ivit.core.engine.jni.RefusedGraphException;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses what the engine {@code cpu} runs on: the provider that the property {@value #PROPERTY}
 * names, or else the fastest that runs here and holds the graph. Where faster kernels exist for
 * this platform and cannot be used, a line of the log warns, once a process.
 */
public final class CpuProviders {
  /** The system property that names a provider. */
  public static final String PROPERTY = "ivit.cpu";

  private static final String JAVA = "java";

  /** Native kernels, fastest first; those in portable C are slower than portable Java. */
  private static final List<String> FAST = List.of("amx", "vnni", "avx2");

  private static final Logger LOG = LoggerFactory.getLogger(CpuProviders.class);

  /** What was said already: once in a process is enough. */
  private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();

  private CpuProviders() {}

  /** Returns the names that can be asked for, fastest first. */
  public static List<String> names() {
    List<String> names = new ArrayList<>(FAST);
    names.add(JAVA);
    names.add("c");
    return names;
  }

  /**
   * Opens the engine {@code cpu}.
   *
   * @param graph any model
   * @param pool the threads to use; not closed with the engine
   * @param why why this engine was chosen, for {@link Engine#description}
   * @throws InputException if the property names no provider, or one that does not run here or
   *     cannot hold the graph
   */
  public static Engine open(IntegerGraph graph, WorkerPool pool, String why) {
    String name = System.getProperty(PROPERTY);
    Engine engine =
        name == null || name.isBlank()
            ? fastest(graph, pool, why)
            : forced(graph, pool, name.strip(), why);
    LOG.debug("{}; processor {}", engine.description(), Processor.name());
    return engine;
  }

  private static Engine forced(IntegerGraph graph, WorkerPool pool, String name, String why) {
    if (!names().contains(name)) {
      throw new InputException(
          "property %s: '%s', expected one of %s"
              .formatted(PROPERTY, name, String.join(", ", names())));
    }
    String reason = why + "; " + name + " by property " + PROPERTY;
    if (name.equals(JAVA)) {
      return new PortableEngine(graph, pool, reason);
    }
    String unavailable = NativeLibrary.unavailable(name);
    if (unavailable != null) {
      throw new InputException("property %s: '%s', %s".formatted(PROPERTY, name, unavailable));
    }
    try {
      return new NativeEngine(graph, pool, name, reason);
    } catch (RefusedGraphException e) {
      throw new InputException(
          "property %s: '%s' cannot hold this model, %s".formatted(PROPERTY, name, e.getMessage()),
          e);
    }
  }

  private static Engine fastest(IntegerGraph graph, WorkerPool pool, String why) {
    StringBuilder reason = new StringBuilder(why);
    String last = "";
    String notLoaded = NativeLibrary.notLoaded();
    String lost = notLoaded != null && NativeLibrary.isExpected() ? notLoaded : null;
    for (String name : FAST) {
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
    if (lost != null && WARNED.add(lost)) {
      LOG.warn("slower than it could be: portable Java instead of native kernels; {}", lost);
    }
    return new PortableEngine(graph, pool, reason.toString());
  }
}
