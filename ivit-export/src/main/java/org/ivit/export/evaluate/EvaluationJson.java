package org.ivit.export.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.engine.Backend;
import org.ivit.core.io.AtomicFiles;
import org.ivit.export.model.Model;
import org.ivit.export.model.ModelIdentity;

/** An evaluation as JSON. */
public final class EvaluationJson {
  private EvaluationJson() {}

  /**
   * Counts, seconds, the pictures left out, and what identifies model, data and engine.
   *
   * @param data the pictures that were answered
   */
  public static ObjectNode of(Model model, String location, Dataset data, Answers answers) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    accuracy(json, Evaluation.of(answers.logits(), answers.labels()));
    run(json, model, location, data, answers.skipped(), answers.seconds());
    return json;
  }

  /** The same of features. */
  public static ObjectNode of(
      Model model, String location, FeatureAnswers answers, Judgement judgement) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (judgement.classifies()) {
      accuracy(json, Evaluation.of(judgement.rankings(), answers.labels()));
    }
    run(json, model, location, answers.set(), answers.skipped(), answers.seconds());
    return json;
  }

  private static void accuracy(ObjectNode json, Evaluation evaluation) {
    json.set("top1", proportion(evaluation.top1()));
    json.set("top5", proportion(evaluation.top5()));
    interval(json, "top1_interval95", evaluation.top1());
    interval(json, "top5_interval95", evaluation.top5());
  }

  private static void run(
      ObjectNode json,
      Model model,
      String location,
      Dataset data,
      List<PictureBatches.Skipped> left,
      double seconds) {
    json.put("images", data.size());
    skipped(json, left);
    json.put("seconds", seconds);
    identify(json, model);
    json.set("data", data(location, data));
    json.set("preprocess", model.preprocess().toJson());
  }

  /** Adds the pictures that were left out. */
  public static void skipped(ObjectNode json, List<PictureBatches.Skipped> left) {
    ObjectNode skipped = json.putObject("skipped");
    skipped.put("count", left.size());
    ArrayNode pictures = skipped.putArray("pictures");
    for (PictureBatches.Skipped picture : left) {
      pictures.addObject().put("name", picture.name()).put("reason", picture.reason());
    }
  }

  /** Adds what a model is, what it answers with, and what runs it. */
  public static void identify(ObjectNode json, Model model) {
    json.put("answer", model.answer().toString());
    json.put("engine", model.engine());
    json.set("backend", backend(model.backend()));
    json.set("model", model(model.identity()));
  }

  /** A set of pictures, and what tells it from others. */
  public static ObjectNode data(String location, Dataset data) {
    ObjectNode set = JsonNodeFactory.instance.objectNode();
    set.put("path", location);
    set.put("images", data.size());
    set.put("classes", data.classes());
    set.put("digest", Datasets.digest(data));
    return set;
  }

  /** The comparison with another model. */
  public static ObjectNode comparison(Model reference, Answers answers, Comparison comparison) {
    ObjectNode json = reference(reference);
    accuracy(json, Evaluation.of(answers.logits(), answers.labels()));
    json.set("agreement", proportion(comparison.agreement()));
    interval(json, "agreement_interval95", comparison.agreement());
    ObjectNode kl = json.putObject("kl");
    kl.put("mean", comparison.meanKl());
    kl.put("median", comparison.medianKl());
    kl.put("largest", comparison.largestKl());
    mcNemar(json, comparison.mcnemar());
    return json;
  }

  /**
   * The comparison of features with those of another model.
   *
   * @param answers of the other model
   * @param judgement of them
   */
  public static ObjectNode comparison(
      Model reference, FeatureAnswers answers, Judgement judgement, FeatureComparison comparison) {
    ObjectNode json = reference(reference);
    ObjectNode cosine = json.putObject("cosine");
    cosine.put("mean", comparison.meanCosine());
    cosine.put("worst", comparison.worstCosine());
    cosine.put("worst_picture", answers.names().get(comparison.worst()));
    if (comparison.nearest() != null) {
      json.set("nearest_unchanged", proportion(comparison.nearest()));
      interval(json, "nearest_unchanged_interval95", comparison.nearest());
    }
    if (judgement.classifies()) {
      accuracy(json, Evaluation.of(judgement.rankings(), answers.labels()));
      json.set("agreement", proportion(comparison.agreement()));
      interval(json, "agreement_interval95", comparison.agreement());
      mcNemar(json, comparison.mcnemar());
    }
    return json;
  }

  private static ObjectNode reference(Model reference) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("model", model(reference.identity()));
    json.put("engine", reference.engine());
    json.set("backend", backend(reference.backend()));
    json.set("preprocess", reference.preprocess().toJson());
    return json;
  }

  private static void mcNemar(ObjectNode json, McNemar test) {
    ObjectNode mcnemar = json.putObject("mcnemar");
    mcnemar.put("onlyModel", test.onlyModel());
    mcnemar.put("onlyReference", test.onlyReference());
    mcnemar.put("exact", test.exact());
    mcnemar.put("pValue", test.pValue());
  }

  /** Writes JSON; the file is complete or not there. */
  public static void write(Path file, ObjectNode json) {
    byte[] text = text(json).getBytes(StandardCharsets.UTF_8);
    AtomicFiles.write(file, out -> out.write(text));
  }

  /** JSON for people and programs, with a line feed at the end. */
  public static String text(ObjectNode json) {
    try {
      return new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void interval(ObjectNode json, String key, Proportion p) {
    json.putArray(key).add(p.low()).add(p.high());
  }

  private static ObjectNode proportion(Proportion p) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("count", p.count());
    json.put("fraction", p.fraction());
    return json;
  }

  /** What runs a model, and why. */
  public static ObjectNode backend(Backend backend) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("kernels", backend.kernels());
    json.put("why", backend.why());
    json.put("processor", backend.processor());
    json.put("threads", backend.threads());
    return json;
  }

  /** What identifies a model. */
  public static ObjectNode model(ModelIdentity identity) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("path", identity.path());
    json.put("file_sha256", identity.sha256());
    if (!identity.digest().isEmpty()) {
      json.put("digest", identity.digest());
    }
    json.put("kind", identity.kind());
    json.put("architecture", identity.architecture());
    return json;
  }
}
