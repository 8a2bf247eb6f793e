package org.ivit.serve.http;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.ivit.core.InputException;
import org.ivit.serve.batch.Budget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers every request in time, by its route or with an error, and knows how many are open. */
final class RequestHandler extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(RequestHandler.class);

  private final Routes routes;
  private final Duration timeout;
  private final Budget pictures;
  private final Budget bytes;
  private final BooleanSupplier draining;
  private final AtomicLong open = new AtomicLong();

  RequestHandler(
      Routes routes, Duration timeout, Budget pictures, Budget bytes, BooleanSupplier draining) {
    this.routes = routes;
    this.timeout = timeout;
    this.pictures = pictures;
    this.bytes = bytes;
    this.draining = draining;
  }

  /** Requests that have come and are not answered to their end. */
  long open() {
    return open.get();
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    open.incrementAndGet();
    Request.addCompletionListener(request, failure -> open.decrementAndGet());
    Exchange exchange = new Exchange(request, pictures, bytes);
    var unused =
        begin(exchange)
            .orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
            .whenComplete(
                (reply, e) -> {
                  Runnable end = () -> end(exchange, reply, e, response, callback);
                  if (e instanceof TimeoutException) {
                    // The one thread of Java that tells it has others to tell it to.
                    getServer().getThreadPool().execute(end);
                  } else {
                    end.run();
                  }
                });
    return true;
  }

  private void end(
      Exchange exchange, Reply reply, Throwable e, Response response, Callback callback) {
    try {
      send(exchange, e == null ? reply : failed(exchange, e), response, callback);
    } catch (RuntimeException | Error failure) {
      callback.failed(failure);
    }
  }

  private CompletableFuture<Reply> begin(Exchange exchange) {
    try {
      return routes.answer(exchange);
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private static Reply failed(Exchange exchange, Throwable e) {
    Throwable cause = e;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof HttpFailure failure) {
      return failure.reply();
    }
    if (cause instanceof TimeoutException) {
      return exchange.late().reply();
    }
    if (cause instanceof InputException) {
      return Reply.error(400, cause.getMessage(), Map.of());
    }
    if (cause instanceof OutOfMemoryError) {
      LOG.error("out of memory; give the JVM more, for example IVIT_JAVA_OPTS=-Xmx4g");
      return HttpFailure.later(503, "the server is short of memory: try again later").reply();
    }
    LOG.error("internal error: {}", cause.toString());
    LOG.debug("", cause);
    return Reply.error(500, "internal error", Map.of());
  }

  private void send(Exchange exchange, Reply reply, Response response, Callback callback) {
    exchange.end();
    response.setStatus(reply.status());
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, reply.type());
    response.getHeaders().put("X-Content-Type-Options", "nosniff");
    reply.headers().forEach((name, value) -> response.getHeaders().put(name, value));
    if (draining.getAsBoolean()) {
      response.getHeaders().put(HttpHeader.CONNECTION, "close");
    }
    response.write(true, ByteBuffer.wrap(reply.body()), callback);
  }
}
