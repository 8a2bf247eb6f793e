package org.ivit.serve;

import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.export.cli.console.IvitVersion;
import org.ivit.export.cli.console.StopSignals;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.serve.http.BearerToken;
import org.ivit.serve.http.ModelServer;
import org.ivit.serve.http.ServerOptions;
import org.ivit.serve.model.ModelDescription;
import org.ivit.serve.model.Runner;
import org.ivit.serve.model.Runners;

/** Opens models and serves them until a signal comes. */
final class Serving {
  private final ServeCommand command;
  private final EngineConfig engine;

  Serving(ServeCommand command, EngineConfig engine) {
    this.command = command;
    this.engine = engine;
  }

  /** Returns the exit code, when all that was accepted has been answered. */
  int run(List<ModelFile> files, PrintWriter out, PrintWriter err) {
    InetAddress address = address();
    ServerOptions options = options();
    if (!address.isLoopbackAddress() && options.token() == null) {
      line(err, "warning: " + command.host + " is open to other machines, without a token");
    }
    // From here on a signal ends the server in order, also while models are opened.
    try (StopSignals signals =
            StopSignals.listen(err, "answering what was accepted, then stopping");
        ModelServer server =
            new ModelServer(
                open(files, err), options, IvitVersion.text(), command.quiet ? null : out)) {
      String host = address.getHostAddress();
      line(
          err,
          "listening on http://%s:%d/"
              .formatted(host.contains(":") ? "[" + host + "]" : host, server.port()));
      signals.await();
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }

  private InetAddress address() {
    try {
      return InetAddress.getByName(command.host);
    } catch (UnknownHostException e) {
      throw new InputException("--host: " + command.host + ": is no address of this machine", e);
    }
  }

  private ServerOptions options() {
    int requestBytes = command.requestMegabytes << 20;
    return new ServerOptions(
        command.host,
        command.port,
        engine.pool().threads(),
        command.batch,
        Duration.ofMillis(command.waitMillis),
        command.queue,
        requestBytes,
        Math.max(requestBytes, Runtime.getRuntime().maxMemory() / 4),
        command.pixels,
        Duration.ofSeconds(command.timeoutSeconds),
        token());
  }

  private BearerToken token() {
    if (command.tokenFile != null) {
      return BearerToken.read(command.tokenFile);
    }
    String token = System.getenv(ServeCommand.TOKEN);
    return token == null ? null : BearerToken.of(token, ServeCommand.TOKEN);
  }

  private Map<String, Runner> open(List<ModelFile> files, PrintWriter err) {
    ModelReading reading = new ModelReading(command.architecture, command.weightsKey);
    Map<String, Runner> runners = new LinkedHashMap<>();
    try {
      for (ModelFile file : files) {
        Runner runner = Runners.open(file.path(), reading, engine, command.batch);
        runners.put(file.name(), runner);
        ModelDescription model = runner.description();
        line(
            err,
            "%s: %s, %s, %s"
                .formatted(
                    file.name(), model.architecture(), model.engine(), model.backend().line()));
      }
    } catch (RuntimeException | Error e) {
      runners.values().forEach(Runner::close);
      throw e;
    }
    return runners;
  }

  private static void line(PrintWriter err, String text) {
    err.println("ivit: " + text);
    err.flush();
  }
}
