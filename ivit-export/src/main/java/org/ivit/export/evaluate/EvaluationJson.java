package org.ivit.export.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
    Evaluation evaluation = Evaluation.of(answers.logits(), answers.labels());
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("top1", proportion(evaluation.top1()));
    json.set("top5", proportion(evaluation.top5()));
    interval(json, "top1_interval95", evaluation.top1());
    interval(json, "top5_interval95", evaluation.top5());
    json.put("images", evaluation.images());
    ObjectNode skipped = json.putObject("skipped");
    skipped.put("count", answers.skipped().size());
    ArrayNode pictures = skipped.putArray("pictures");
    for (Answers.Skipped picture : answers.skipped()) {
      pictures.addObject().put("name", picture.name()).put("reason", picture.reason());
    }
    json.put("seconds", answers.seconds());
    json.put("engine", model.engine());
    json.set("backend", backend(model.backend()));
    json.set("model", model(model.identity()));
    ObjectNode set = json.putObject("data");
    set.put("path", location);
    set.put("images", data.size());
    set.put("classes", data.classes());
    set.put("digest", Datasets.digest(data));
    json.set("preprocess", model.preprocess().toJson());
    return json;
  }

  /** The comparison with another model. */
  public static ObjectNode comparison(Model reference, Answers answers, Comparison comparison) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.set("model", model(reference.identity()));
    json.put("engine", reference.engine());
    json.set("backend", backend(reference.backend()));
    Evaluation evaluation = Evaluation.of(answers.logits(), answers.labels());
    json.set("top1", proportion(evaluation.top1()));
    json.set("top5", proportion(evaluation.top5()));
    interval(json, "top1_interval95", evaluation.top1());
    interval(json, "top5_interval95", evaluation.top5());
    json.set("agreement", proportion(comparison.agreement()));
    interval(json, "agreement_interval95", comparison.agreement());
    ObjectNode kl = json.putObject("kl");
    kl.put("mean", comparison.meanKl());
    kl.put("median", comparison.medianKl());
    kl.put("largest", comparison.largestKl());
    ObjectNode mcnemar = json.putObject("mcnemar");
    mcnemar.put("onlyModel", comparison.mcnemar().onlyModel());
    mcnemar.put("onlyReference", comparison.mcnemar().onlyReference());
    mcnemar.put("exact", comparison.mcnemar().exact());
    mcnemar.put("pValue", comparison.mcnemar().pValue());
    return json;
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
