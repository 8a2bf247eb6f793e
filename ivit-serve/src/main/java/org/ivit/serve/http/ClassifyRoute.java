package org.ivit.serve.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.ivit.core.InputException;
import org.ivit.core.model.ClassLabel;
import org.ivit.serve.batch.Outcome;
import org.ivit.serve.model.Answer;
import org.ivit.serve.model.InputMaker;
import org.ivit.serve.protocol.Pictures;

/** {@code POST /classify}: a picture file, answered with its likeliest classes. */
final class ClassifyRoute {
  private static final int SHOWN = 5;

  private final ServedModels models;
  private final Answering answering;

  ClassifyRoute(ServedModels models, Answering answering) {
    this.models = models;
    this.answering = answering;
  }

  CompletableFuture<Reply> answer(Exchange exchange) {
    long start = exchange.request().getHeadersNanoTime();
    String name = exchange.query("model");
    ServedModel model = name == null ? models.first() : models.get(name);
    if (!model.description().classifies()) {
      throw new InputException(
          model.name() + ": answers with features, expected a model with classes");
    }
    int top = top(exchange.query("top"));
    String type = exchange.header("Content-Type");
    if (type != null && type.regionMatches(true, 0, "multipart/", 0, 10)) {
      throw HttpFailure.of(
          415, "expected the bytes of a picture file, as curl --data-binary @FILE sends them");
    }
    exchange.takePictures(1);
    return answering
        .body(exchange)
        .thenCompose(
            body -> {
              byte[] file = Arrays.copyOf(body.bytes(), body.length());
              answering.recycle(body);
              return answering.answer(exchange, model, new Pictures.Encoded(List.of(file)));
            })
        .thenApply(
            answered ->
                reply(
                    model,
                    top,
                    answered.made().get(0),
                    answered.outcomes().get(0),
                    System.nanoTime() - start));
  }

  private static int top(String text) {
    if (text == null) {
      return SHOWN;
    }
    if (!text.matches("[1-9][0-9]{0,5}")) {
      throw new InputException("top: expected a number from 1 to 999999");
    }
    return Integer.parseInt(text);
  }

  private static Reply reply(
      ServedModel model, int top, InputMaker.Made made, Outcome outcome, long total) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("model", model.name());
    ArrayNode best = node.putArray("top");
    Answer answer = outcome.answer();
    double[] probabilities = answer.probabilities();
    float[] reals = answer.codes() == null ? answer.reals() : null;
    for (int index : answer.top(top)) {
      ClassLabel label = model.description().classes().get(index);
      ObjectNode row = best.addObject();
      row.put("index", index);
      row.put("id", label.id());
      row.put("name", label.name());
      row.put("probability", probabilities[index]);
      if (reals == null) {
        row.put("logit", answer.codes()[index]);
      } else {
        row.put("logit", reals[index]);
      }
    }
    ObjectNode ms = node.putObject("ms");
    ms.put("decode", milliseconds(made.decodeNanos()));
    ms.put("transform", milliseconds(made.transformNanos()));
    ms.put("wait", milliseconds(outcome.waitNanos()));
    ms.put("infer", milliseconds(outcome.runNanos()));
    ms.put("total", milliseconds(total));
    node.put("batch", outcome.batch());
    return Reply.json(node);
  }

  private static double milliseconds(long nanos) {
    return Math.round(nanos / 1e3) / 1e3;
  }
}
