package org.ivit.serve.http;

import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.RequestLog;
import org.eclipse.jetty.server.Response;

/**
 * A line a request: time, remote address, method, path, status, bytes sent, milliseconds, largest
 * batch that one of its pictures was run in. Counts them too.
 */
final class AccessLog implements RequestLog {
  private final PrintWriter out;
  private final ServerMetrics metrics;

  /**
   * @param out where the lines go; null for nowhere
   */
  AccessLog(PrintWriter out, ServerMetrics metrics) {
    this.out = out;
    this.metrics = metrics;
  }

  @Override
  public void log(Request request, Response response) {
    long nanos = System.nanoTime() - request.getHeadersNanoTime();
    Exchange exchange = Exchange.of(request);
    metrics.request(exchange == null ? "none" : exchange.route(), response.getStatus(), nanos);
    if (out != null) {
      out.println(
          String.format(
              Locale.ROOT,
              "%s %s %s %s %d %d %.1f %s",
              Instant.now().truncatedTo(ChronoUnit.MILLIS),
              Request.getRemoteAddr(request),
              request.getMethod(),
              request.getHttpURI().getPath(),
              response.getStatus(),
              Response.getContentBytesWritten(response),
              nanos / 1e6,
              exchange == null || exchange.batch() == 0 ? "-" : exchange.batch()));
      out.flush();
    }
  }
}
