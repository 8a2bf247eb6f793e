package org.ivit.serve;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.image.ImageDecoder;
import org.ivit.export.cli.extension.AddedCommand;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.EngineOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit serve}: models over HTTP. */
@Command(
    name = "serve",
    description = {
      "Serves models over HTTP: the Open Inference Protocol (/v2), POST /classify for picture"
          + " files, /metrics for Prometheus, a page at /.",
      "A signal (Ctrl-C, kill) ends it with code 0 when it has answered what it accepted."
    },
    footerHeading =
        "%nExample:%n  ivit serve --model vit.ivit.safetensors%n"
            + "  curl --data-binary @cat.jpg http://127.0.0.1:8080/classify%n")
public final class ServeCommand implements AddedCommand {
  /** The variable of the environment that may hold the token. */
  static final String TOKEN = "IVIT_SERVE_TOKEN";

  private static final int MOST_BATCH = 1024;
  private static final int MOST_MEGABYTES = 1024;

  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "[NAME=]F",
      description =
          "An integer checkpoint, a Hugging Face folder, or float weights with --architecture; may"
              + " be given several times. The first answers where a request names none.")
  private List<String> models = new ArrayList<>();

  @Option(
      names = "--architecture",
      paramLabel = "NAME",
      description = "Architecture of float weights that do not say it.")
  String architecture;

  @Option(
      names = "--weights-key",
      paramLabel = "PATH",
      description = "Where float weights lie in their file, where several are there.")
  String weightsKey;

  @Mixin private EngineOptions engine;

  @Option(
      names = "--host",
      paramLabel = "H",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on (default: ${DEFAULT-VALUE}, this machine alone; 0.0.0.0 is all).")
  String host;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8080",
      description = "Port to listen on (default: ${DEFAULT-VALUE}); 0 is any that is free.")
  int port;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "8",
      description = "The most pictures that a model runs at once (default: ${DEFAULT-VALUE}).")
  int batch;

  @Option(
      names = "--wait-ms",
      paramLabel = "MS",
      defaultValue = "2",
      description =
          "How long a picture waits for others while its model has nothing to do (default:"
              + " ${DEFAULT-VALUE}).")
  int waitMillis;

  @Option(
      names = "--queue",
      paramLabel = "N",
      defaultValue = "256",
      description =
          "The most pictures that are on their way at once; more are refused with 429 (default:"
              + " ${DEFAULT-VALUE}).")
  int queue;

  @Option(
      names = "--max-request-mb",
      paramLabel = "N",
      defaultValue = "32",
      description = "The largest request in MiB; larger ones are refused with 413 (default: 32).")
  int requestMegabytes;

  @Option(
      names = "--max-pixels",
      paramLabel = "N",
      defaultValue = "25000000",
      description =
          "Width times height of the largest picture; larger ones are refused with 400 before they"
              + " are decoded (default: ${DEFAULT-VALUE}).")
  int pixels;

  @Option(
      names = "--timeout",
      paramLabel = "S",
      defaultValue = "30",
      description = "Seconds from a request's arrival to its answer (default: ${DEFAULT-VALUE}).")
  int timeoutSeconds;

  @Option(
      names = "--token-file",
      paramLabel = "F",
      description =
          "File with a token that clients must send (Authorization: Bearer TOKEN); without it, the"
              + " variable "
              + TOKEN
              + ", if it is set.")
  Path tokenFile;

  @Option(names = "--no-access-log", description = "Print no line for each request.")
  boolean quiet;

  @Override
  public Integer call() {
    engine.validate();
    Checks.within("--port", port, 0, 65535);
    Checks.within("--batch", batch, 1, MOST_BATCH);
    Checks.within("--wait-ms", waitMillis, 0, 10_000);
    Checks.atLeast("--queue", queue, 1);
    Checks.within("--max-request-mb", requestMegabytes, 1, MOST_MEGABYTES);
    Checks.within("--max-pixels", pixels, 1, (int) ImageDecoder.MAX_PIXELS);
    Checks.within("--timeout", timeoutSeconds, 1, 3600);
    Checks.file("--token-file", tokenFile);
    return new Serving(this, engine.config())
        .run(ModelFile.parse(models), spec.commandLine().getOut(), spec.commandLine().getErr());
  }
}
