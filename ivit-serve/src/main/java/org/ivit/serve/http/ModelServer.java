package org.ivit.serve.http;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Map;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;
import org.ivit.serve.batch.Budget;
import org.ivit.serve.model.Runner;

/** Serves models over HTTP until it is closed. */
public final class ModelServer implements AutoCloseable {
  private static final int MOST_CONNECTIONS = 1024;
  private static final int MOST_THREADS = 16;

  /** Of a connection at once: the pixels of a picture in a few calls of the system. */
  private static final int READ_BYTES = 64 * 1024;

  /** How long nothing may come before the last connections are closed. */
  private static final long QUIET_MILLIS = 100;

  private final ServedModels models = new ServedModels();
  private final ServerMetrics metrics;
  private final Answering answering;
  private final RequestHandler handler;
  private final Server server;
  private final ServerConnector connector;
  private volatile boolean draining;

  /**
   * Begins to listen.
   *
   * @param runners models by name, in the order in which they are listed; at least one; closed with
   *     the server, and where it cannot listen
   * @param version of this program
   * @param log where a line a request goes; null for nowhere
   * @throws InputException if it cannot listen there
   */
  public ModelServer(
      Map<String, Runner> runners, ServerOptions options, String version, PrintWriter log) {
    Budget pictures = new Budget(options.queue());
    Budget bytes = new Budget(options.pendingBytes());
    this.metrics = new ServerMetrics(pictures, bytes);
    this.answering = new Answering(options, metrics);
    QueuedThreadPool threads = new QueuedThreadPool(MOST_THREADS, 4);
    threads.setName("ivit-http");
    threads.setDaemon(true);
    runners.forEach(
        (name, runner) -> models.add(new ServedModel(name, runner, options, metrics, threads)));
    Routes routes = new Routes(models, options, metrics, answering, () -> !draining, version);
    this.handler = new RequestHandler(routes, options.timeout(), pictures, bytes, () -> draining);
    this.server = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    HttpConnectionFactory connections = new HttpConnectionFactory(http);
    connections.setInputBufferSize(READ_BYTES);
    this.connector = new ServerConnector(server, 1, 1, connections);
    connector.setHost(options.host());
    connector.setPort(options.port());
    // A little longer than a request may take, which then has an answer of its own.
    connector.setIdleTimeout(options.timeout().toMillis() + 1000);
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(MOST_CONNECTIONS, server));
    server.setErrorHandler(new JsonErrors());
    server.setRequestLog(new AccessLog(log, metrics));
    server.setHandler(handler);
    start(options);
  }

  private void start(ServerOptions options) {
    try {
      server.start();
    } catch (Exception e) {
      close();
      Throwable cause = e.getCause() instanceof IOException ? e.getCause() : e;
      if (cause instanceof IOException failure) {
        throw new InputException(
            "--host %s --port %d: cannot listen there: %s"
                .formatted(options.host(), options.port(), FileFailures.reason(failure)),
            e);
      }
      throw new IllegalStateException(e);
    }
  }

  /** The port that it listens on. */
  public int port() {
    return connector.getLocalPort();
  }

  /**
   * Takes no new connections, answers the requests of those that are there, then ends. How long
   * that takes is bounded by the time that a request may take.
   */
  @Override
  public void close() {
    draining = true;
    try {
      connector.close();
      models.hurry();
      awaitQuiet();
      server.stop();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      answering.close();
      models.close();
      metrics.close();
    }
  }

  /** Waits until no request is open, and none has come for a while on a connection that is. */
  private void awaitQuiet() throws InterruptedException {
    long quiet = System.nanoTime();
    while (server.isStarted() && System.nanoTime() - quiet < QUIET_MILLIS * 1_000_000) {
      Thread.sleep(5);
      if (handler.open() > 0) {
        quiet = System.nanoTime();
      }
    }
  }
}
