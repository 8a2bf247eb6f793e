package org.ivit.serve;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.serve.http.BearerToken;
import org.ivit.serve.http.ModelServer;
import org.ivit.serve.http.ServerOptions;
import org.ivit.serve.model.Runner;
import org.ivit.serve.model.Runners;

/** A server in this process, on a port that is free. */
public final class TestServer implements AutoCloseable {
  private static final int MEBIBYTE = 1 << 20;

  private final Map<String, Runner> runners = new LinkedHashMap<>();
  private final StringWriter log = new StringWriter();
  private int batch = 4;
  private Duration mostWaiting = Duration.ofMillis(1);
  private int queue = 64;
  private int requestBytes = MEBIBYTE;
  private long pendingBytes = 64L * MEBIBYTE;
  private long pixels = 10_000;
  private Duration timeout = Duration.ofSeconds(30);
  private BearerToken token;
  private ModelServer server;

  /**
   * With a classifier {@code deit}, an embedder {@code dino} and float weights {@code real}.
   *
   * @param folder for their files
   * @param classifier the model {@code deit}
   */
  public static TestServer ofEveryKind(Path folder, IntegerCheckpoint classifier) {
    return new TestServer()
        .with("deit", runner(TestModels.write(folder, "deit", classifier), null))
        .with("dino", runner(TestModels.write(folder, "dino", TestModels.embedder()), null))
        .with(
            "real",
            runner(TestModels.writeFloat(folder.resolve("real.safetensors")), TestModels.FLOAT));
  }

  public static Runner runner(Path file, String architecture) {
    return Runners.open(
        file, new ModelReading(architecture, null), EngineConfig.standard().withThreads(2), 4);
  }

  public TestServer with(String name, Runner runner) {
    runners.put(name, runner);
    return this;
  }

  public TestServer batch(int most, Duration waiting) {
    batch = most;
    mostWaiting = waiting;
    return this;
  }

  public TestServer queue(int pictures) {
    queue = pictures;
    return this;
  }

  public TestServer requestBytes(int most, long pending) {
    requestBytes = most;
    pendingBytes = pending;
    return this;
  }

  public TestServer pixels(long most) {
    pixels = most;
    return this;
  }

  public TestServer timeout(Duration most) {
    timeout = most;
    return this;
  }

  public TestServer token(String secret) {
    token = BearerToken.of(secret, "test");
    return this;
  }

  public Client start() {
    ServerOptions options =
        new ServerOptions(
            "127.0.0.1",
            0,
            2,
            batch,
            mostWaiting,
            queue,
            requestBytes,
            pendingBytes,
            pixels,
            timeout,
            token);
    server = new ModelServer(runners, options, "0", new PrintWriter(log));
    return new Client(server.port());
  }

  public int port() {
    return server.port();
  }

  /** Lines of the access log. */
  public String log() {
    return log.toString();
  }

  @Override
  public void close() {
    server.close();
  }
}
