package org.ivit.serve.http;

import java.util.concurrent.CompletableFuture;
import org.ivit.serve.batch.Outcome;
import org.ivit.serve.protocol.InferAnswer;
import org.ivit.serve.protocol.InferRequest;
import org.ivit.serve.protocol.InferRequestReader;

/** {@code POST /v2/models/M/infer}: tensors, answered with tensors. */
final class InferRoute {
  /** Says how much of a body is JSON, where tensors follow it. */
  static final String HEADER_LENGTH = "Inference-Header-Content-Length";

  private final ServerOptions options;
  private final Answering answering;

  InferRoute(ServerOptions options, Answering answering) {
    this.options = options;
    this.answering = answering;
  }

  CompletableFuture<Reply> answer(Exchange exchange, ServedModel model) {
    int header = (int) Math.min(Integer.MAX_VALUE, exchange.number(HEADER_LENGTH));
    return answering
        .body(exchange)
        .thenCompose(
            body -> {
              InferRequest request =
                  InferRequestReader.read(
                      model.description(),
                      options.queue(),
                      options.pixels(),
                      body.bytes(),
                      body.length(),
                      header);
              exchange.takePictures(request.pictures().count());
              return answering
                  .answer(exchange, model, request.pictures())
                  .thenApply(
                      answered -> {
                        answering.recycle(body);
                        return reply(model, request, answered);
                      });
            });
  }

  private static Reply reply(ServedModel model, InferRequest request, Answering.Answered answered) {
    return Reply.infer(
        InferAnswer.of(
            model.name(),
            model.description(),
            request,
            answered.outcomes().stream().map(Outcome::answer).toList()));
  }
}
