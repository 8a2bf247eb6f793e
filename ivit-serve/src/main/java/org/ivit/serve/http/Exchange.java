package org.ivit.serve.http;

import java.util.List;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.ivit.serve.batch.Budget;
import org.ivit.serve.batch.Job;
import org.ivit.serve.batch.Outcome;

/** A request on its way to an answer: what it holds, and how far it has come. */
final class Exchange {
  private static final String ATTRIBUTE = Exchange.class.getName();

  private final Request request;
  private final Budget pictureBudget;
  private final Budget byteBudget;
  private String route = "none";
  private long pictures;
  private long bytes;
  private boolean read;
  private boolean over;
  private List<Job> jobs = List.of();
  private int batch;

  Exchange(Request request, Budget pictureBudget, Budget byteBudget) {
    this.request = request;
    this.pictureBudget = pictureBudget;
    this.byteBudget = byteBudget;
    request.setAttribute(ATTRIBUTE, this);
  }

  /** That of a request; null where it came to none. */
  static Exchange of(Request request) {
    return (Exchange) request.getAttribute(ATTRIBUTE);
  }

  Request request() {
    return request;
  }

  String method() {
    return request.getMethod();
  }

  String header(String name) {
    return request.getHeaders().get(name);
  }

  /** A header that is a number from 0; -1 without one. */
  long number(String name) {
    String text = header(name);
    if (text == null) {
      return -1;
    }
    if (!text.matches("[0-9]{1,18}")) {
      throw HttpFailure.of(400, name + ": expected a number from 0");
    }
    return Long.parseLong(text);
  }

  /** A parameter of the query; null without one. */
  String query(String name) {
    try {
      return Request.extractQueryParameters(request).getValue(name);
    } catch (RuntimeException e) {
      if (e instanceof HttpException) {
        throw HttpFailure.of(400, "the query cannot be read");
      }
      throw e;
    }
  }

  /** What metrics call its kind. */
  synchronized String route() {
    return route;
  }

  synchronized void route(String name) {
    route = name;
  }

  /**
   * Takes room for pictures.
   *
   * @throws HttpFailure 429 if there is not so much
   */
  synchronized void takePictures(int count) {
    requireOpen();
    if (!pictureBudget.tryTake(count)) {
      throw HttpFailure.later(
          429, "the queue of %d pictures is full: try again later".formatted(pictureBudget.size()));
    }
    pictures += count;
  }

  /**
   * Takes room for a body.
   *
   * @param most that it may have where it does not say its length
   * @return the length that it says; -1 without one
   * @throws HttpFailure 413 if it says that it is longer, 429 if there is not so much room
   */
  synchronized long takeBody(int most) {
    requireOpen();
    long length = number(HttpHeader.CONTENT_LENGTH.asString());
    if (length > most) {
      throw tooLong(most);
    }
    long room = length < 0 ? most : length;
    if (!byteBudget.tryTake(room)) {
      throw HttpFailure.later(
          429,
          "requests of %d bytes are on their way: try again later".formatted(byteBudget.size()));
    }
    bytes += room;
    return length;
  }

  static HttpFailure tooLong(int most) {
    return HttpFailure.of(413, "the request is longer than " + most + " bytes");
  }

  /** The body has arrived. */
  synchronized void read() {
    read = true;
  }

  /** Whether it was answered already, such as because its time was over. */
  synchronized boolean over() {
    return over;
  }

  private void requireOpen() {
    if (over) {
      throw new IllegalStateException("the request was answered already");
    }
  }

  /** Its pictures wait for their batches. */
  synchronized void submitted(List<Job> waiting) {
    jobs = waiting;
    if (over) {
      jobs.forEach(Job::cancel);
    }
  }

  /** Its pictures were answered. */
  synchronized void answered(List<Outcome> outcomes) {
    batch = outcomes.stream().mapToInt(Outcome::batch).max().orElse(0);
  }

  /** The largest batch that one of its pictures was run in; 0 before. */
  synchronized int batch() {
    return batch;
  }

  /** Gives back what it holds, and takes out of the queue what waits there. */
  synchronized void end() {
    over = true;
    jobs.forEach(Job::cancel);
    pictureBudget.give(pictures);
    byteBudget.give(bytes);
    pictures = 0;
    bytes = 0;
  }

  /** What a client is told whose time was over. */
  synchronized HttpFailure late() {
    if (!read) {
      return HttpFailure.of(408, "the request did not arrive in time");
    }
    return jobs.stream().anyMatch(Job::begun)
        ? HttpFailure.of(504, "the model did not answer in time")
        : HttpFailure.later(503, "the queue did not move on in time: try again later");
  }
}
