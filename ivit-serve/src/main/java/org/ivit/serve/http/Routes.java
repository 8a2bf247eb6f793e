package org.ivit.serve.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.server.Request;
import org.ivit.serve.protocol.Metadata;

/** Which path and method is answered by what. */
final class Routes {
  private static final List<String> READING = List.of("GET", "HEAD");

  private final ServedModels models;
  private final BearerToken token;
  private final ServerMetrics metrics;
  private final InferRoute infer;
  private final ClassifyRoute classify;
  private final BooleanSupplier ready;
  private final String version;

  Routes(
      ServedModels models,
      ServerOptions options,
      ServerMetrics metrics,
      Answering answering,
      BooleanSupplier ready,
      String version) {
    this.models = models;
    this.token = options.token();
    this.metrics = metrics;
    this.infer = new InferRoute(options, answering);
    this.classify = new ClassifyRoute(models, answering);
    this.ready = ready;
    this.version = version;
  }

  /**
   * Answers a request.
   *
   * @return may fail with an {@link HttpFailure}, as the call itself may
   */
  CompletableFuture<Reply> answer(Exchange exchange) {
    String path = Request.getPathInContext(exchange.request());
    List<String> parts = List.of(path.substring(1).split("/", -1));
    if (!parts.get(parts.size() - 1).isEmpty() || parts.size() == 1) {
      return answer(exchange, parts);
    }
    return answer(exchange, parts.subList(0, parts.size() - 1));
  }

  private CompletableFuture<Reply> answer(Exchange exchange, List<String> parts) {
    return switch (parts.get(0)) {
      case "v2" -> protocol(exchange, parts.subList(1, parts.size()));
      case "classify" -> {
        only(parts, 1);
        begin(exchange, "classify", true);
        require(exchange, "POST");
        yield classify.answer(exchange);
      }
      case "metrics" -> {
        only(parts, 1);
        begin(exchange, "metrics", true);
        read(exchange);
        yield done(Reply.text(ServerMetrics.TYPE, metrics.scrape()));
      }
      case "api" -> {
        only(parts, 2);
        if (!parts.get(1).equals("models")) {
          throw nothing();
        }
        begin(exchange, "models", true);
        read(exchange);
        yield done(Reply.json(models()));
      }
      default -> {
        only(parts, 1);
        begin(exchange, "page", false);
        Reply file = PageFiles.file(parts.get(0));
        if (file == null) {
          throw nothing();
        }
        read(exchange);
        yield done(file);
      }
    };
  }

  private CompletableFuture<Reply> protocol(Exchange exchange, List<String> parts) {
    if (parts.isEmpty()) {
      begin(exchange, "server", true);
      read(exchange);
      return done(Reply.json(Metadata.server(version)));
    }
    return switch (parts.get(0)) {
      case "health" -> health(exchange, parts);
      case "models" -> model(exchange, parts.subList(1, parts.size()));
      default -> throw nothing();
    };
  }

  private CompletableFuture<Reply> health(Exchange exchange, List<String> parts) {
    only(parts, 2);
    begin(exchange, "health", false);
    read(exchange);
    return switch (parts.get(1)) {
      case "live" -> done(state("live", true));
      case "ready" -> done(state("ready", ready.getAsBoolean()));
      default -> throw nothing();
    };
  }

  private static Reply state(String name, boolean state) {
    ObjectNode node = JsonNodeFactory.instance.objectNode().put(name, state);
    return Reply.json(state ? 200 : 503, node, Map.of());
  }

  /** NAME, NAME/ready, NAME/infer, each also as NAME/versions/V and so on. */
  private CompletableFuture<Reply> model(Exchange exchange, List<String> parts) {
    begin(exchange, "model", true);
    if (parts.isEmpty()) {
      throw nothing();
    }
    ServedModel model = models.get(parts.get(0));
    List<String> rest = parts.subList(1, parts.size());
    if (!rest.isEmpty() && rest.get(0).equals("versions")) {
      if (rest.size() < 2 || !rest.get(1).equals(Metadata.VERSION)) {
        throw HttpFailure.of(404, model.name() + ": expected version " + Metadata.VERSION);
      }
      rest = rest.subList(2, rest.size());
    }
    if (rest.isEmpty()) {
      read(exchange);
      return done(Reply.json(Metadata.model(model.name(), model.description())));
    }
    only(rest, 1);
    return switch (rest.get(0)) {
      case "ready" -> {
        read(exchange);
        yield done(ready(model));
      }
      case "infer" -> {
        exchange.route("infer");
        require(exchange, "POST");
        yield infer.answer(exchange, model);
      }
      default -> throw nothing();
    };
  }

  private Reply ready(ServedModel model) {
    boolean state = ready.getAsBoolean();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("name", model.name()).put("ready", state);
    return Reply.json(state ? 200 : 503, node, Map.of());
  }

  private ArrayNode models() {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    models.all().forEach(model -> list.add(Metadata.page(model.name(), model.description())));
    return list;
  }

  /** Names the route, and asks for the token where the server has one. */
  private void begin(Exchange exchange, String route, boolean secret) {
    exchange.route(route);
    if (secret && token != null && !token.isBorneBy(exchange.header("Authorization"))) {
      throw HttpFailure.unauthorised();
    }
    String coding = exchange.header("Content-Encoding");
    if (coding != null && !coding.equalsIgnoreCase("identity")) {
      throw HttpFailure.of(415, "Content-Encoding: expected none");
    }
  }

  private static void read(Exchange exchange) {
    if (!READING.contains(exchange.method())) {
      throw HttpFailure.method("GET");
    }
  }

  private static void require(Exchange exchange, String method) {
    if (!exchange.method().equals(method)) {
      throw HttpFailure.method(method);
    }
  }

  private static void only(List<String> parts, int count) {
    if (parts.size() != count) {
      throw nothing();
    }
  }

  private static HttpFailure nothing() {
    return HttpFailure.of(404, "there is nothing at this path");
  }

  private static CompletableFuture<Reply> done(Reply reply) {
    return CompletableFuture.completedFuture(reply);
  }
}
