package org.ivit.djl;

import ai.djl.Device;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.Suggestion;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.parallel.WorkerPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a model's options and its device say of how it is run. */
final class EngineOptions {
  private static final Logger LOG = LoggerFactory.getLogger(EngineOptions.class);

  private static final String ENGINE = "engine";
  private static final String KERNELS = "kernels";
  private static final String THREADS = "threads";
  private static final List<String> KNOWN = List.of(ENGINE, KERNELS, THREADS);

  /** DJL's own, which a zoo puts beside them. */
  private static final String MODEL_NAME = "modelName";

  private EngineOptions() {}

  /**
   * System properties say what options do not.
   *
   * @param options {@code engine}, {@code kernels} and {@code threads} as {@link EngineConfig} has
   *     them, or null; others are warned of, since DJL's servers add some
   * @param device a GPU takes the engine {@code cuda}
   * @throws InputException naming the option that cannot be used
   */
  static EngineConfig read(Map<String, ?> options, Device device) {
    Map<String, ?> given = options == null ? Map.of() : options;
    EngineConfig config = EngineConfig.standard();
    for (Map.Entry<String, ?> option : given.entrySet()) {
      String value = String.valueOf(option.getValue()).strip();
      switch (option.getKey()) {
        case ENGINE -> config = config.withEngine(value);
        case KERNELS -> config = config.withKernels(value);
        case THREADS -> config = config.withThreads(threads(value));
        case MODEL_NAME -> {}
        default ->
            LOG.warn(
                "option {} is not one of {} and is left unused{}",
                option.getKey(),
                KNOWN,
                Suggestion.of(option.getKey(), KNOWN));
      }
    }
    if (!device.isGpu()) {
      return config;
    }
    if (given.containsKey(ENGINE) && !config.namedEngine().equals("cuda")) {
      throw new InputException(
          "option engine: '%s', expected cuda on device %s"
              .formatted(config.namedEngine(), device));
    }
    Gpu gpu = config.gpu().withNumber(Math.max(0, device.getDeviceId()));
    return config.withEngine("cuda").withGpu(gpu);
  }

  private static int threads(String value) {
    if (value.matches("[0-9]{1,4}") && Integer.parseInt(value) <= WorkerPool.MOST_THREADS) {
      return Integer.parseInt(value);
    }
    throw new InputException(
        "option threads: '%s', expected a number from 0 to %s"
            .formatted(value, WorkerPool.MOST_THREADS));
  }
}
