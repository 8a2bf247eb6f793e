package org.ivit.serve.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.ivit.serve.batch.Batcher;
import org.ivit.serve.batch.Budget;
import org.ivit.serve.batch.Outcome;
import org.ivit.serve.model.InputMaker;

/** What the server counts, for Prometheus. Labels are routes and served names, never a client's. */
final class ServerMetrics implements AutoCloseable {
  static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private static final Duration[] BOUNDS = {
    Duration.ofMillis(5), Duration.ofMillis(10), Duration.ofMillis(25), Duration.ofMillis(50),
    Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofSeconds(1),
    Duration.ofMillis(2500), Duration.ofSeconds(5), Duration.ofSeconds(10)
  };

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  ServerMetrics(Budget pictures, Budget bytes) {
    new JvmMemoryMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    Gauge.builder("ivit.pictures.pending", pictures, Budget::taken)
        .description("Pictures on their way, from the request's arrival to its answer")
        .register(registry);
    Gauge.builder("ivit.request.pending", bytes, Budget::taken)
        .description("Bytes of bodies on their way")
        .baseUnit("bytes")
        .register(registry);
  }

  /** A request was answered. */
  void request(String route, int status, long nanos) {
    Timer.builder("ivit.requests")
        .description("Requests from their headers to the end of their answers")
        .tag("route", route)
        .tag("status", Integer.toString(status))
        .serviceLevelObjectives(BOUNDS)
        .register(registry)
        .record(nanos, TimeUnit.NANOSECONDS);
  }

  /** A picture was made a model's input. */
  void made(String model, InputMaker.Made made) {
    time("ivit.decode", "Decoding of pictures", model, made.decodeNanos());
    time("ivit.transform", "Resizing and cropping of pictures", model, made.transformNanos());
  }

  /** A picture was answered. */
  void answered(String model, Outcome outcome) {
    time("ivit.wait", "Pictures in the queue of their model", model, outcome.waitNanos());
  }

  private void time(String name, String description, String model, long nanos) {
    Timer.builder(name)
        .description(description)
        .tag("model", model)
        .register(registry)
        .record(nanos, TimeUnit.NANOSECONDS);
  }

  /** Counts the batches of a model. */
  Batcher.Listener batches(String model) {
    DistributionSummary sizes =
        DistributionSummary.builder("ivit.batch.pictures")
            .description("Pictures of a batch")
            .tag("model", model)
            .serviceLevelObjectives(1, 2, 4, 8, 16, 32, 64)
            .register(registry);
    Counter pictures =
        Counter.builder("ivit.pictures")
            .description("Pictures that the model answered")
            .tag("model", model)
            .register(registry);
    Timer times =
        Timer.builder("ivit.inference")
            .description("Batches in the model")
            .tag("model", model)
            .serviceLevelObjectives(BOUNDS)
            .register(registry);
    return (count, nanos) -> {
      sizes.record(count);
      pictures.increment(count);
      times.record(nanos, TimeUnit.NANOSECONDS);
    };
  }

  /** All of it in Prometheus' text format. */
  byte[] scrape() {
    return registry.scrape(TYPE).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    registry.close();
  }
}
