package org.ivit.export.cli.features;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.Locations;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.Subset;
import org.ivit.core.io.Digests;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.export.cli.console.EvaluationText;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.console.ReportFacts;
import org.ivit.export.cli.option.FeatureOptions;
import org.ivit.export.cli.option.LabelOptions;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.evaluate.FeatureAnswers;
import org.ivit.export.evaluate.FeatureComparison;
import org.ivit.export.evaluate.Judgement;
import org.ivit.export.evaluate.PictureBatches;
import org.ivit.export.features.ClassEmbeddings;
import org.ivit.export.features.Cosines;
import org.ivit.export.features.Gallery;
import org.ivit.export.features.Neighbour;
import org.ivit.export.features.NeighbourVote;
import org.ivit.export.model.Model;
import org.ivit.export.report.FeatureReport;

/** What {@code ivit evaluate} does with a model that answers with features. */
public final class FeatureEvaluating {
  private final Request request;
  private final PrintWriter out;
  private final ClassEmbeddings embeddings;

  /**
   * The options of the command.
   *
   * @param data where the pictures lie
   * @param limit of the pictures; 0 for all
   * @param batch pictures at once
   * @param onCorrupt what a picture does that cannot be decoded
   * @param pool that decodes and searches
   * @param html a report to write, or null
   */
  public record Request(
      String data,
      LabelOptions files,
      FeatureOptions features,
      int limit,
      int batch,
      OnCorrupt onCorrupt,
      WorkerPool pool,
      Path html) {}

  /** The features of one model, and what follows from them. */
  private record Judged(FeatureAnswers answers, FeatureAnswers gallery, Judgement judgement) {}

  private FeatureEvaluating(Request request, ClassEmbeddings embeddings, PrintWriter out) {
    this.request = request;
    this.embeddings = embeddings;
    this.out = out;
  }

  /**
   * Evaluates.
   *
   * @param model that answers with features
   * @param reference as wide, or null
   * @param out what a person reads
   * @return the result
   * @throws InputException if options or data cannot be used
   */
  public static ObjectNode run(Request request, Model model, Model reference, PrintWriter out) {
    FeatureOptions options = request.features;
    if (options.gallery() == null && options.classEmbeddings() == null && reference == null) {
      throw new InputException(
          model.identity().path()
              + ": answers with features, expected --gallery DIR, --class-embeddings F or --against F2"
              + " (ivit embed writes features to a file)");
    }
    ClassEmbeddings embeddings =
        options.classEmbeddings() == null ? null : ClassEmbeddings.read(options.classEmbeddings());
    if (embeddings != null && embeddings.width() != model.architecture().classes()) {
      throw new InputException(
          "%s: tensor embeddings: found rows %d wide, expected %d as %s has features"
              .formatted(
                  options.classEmbeddings(),
                  embeddings.width(),
                  model.architecture().classes(),
                  model.identity().path()));
    }
    return new FeatureEvaluating(request, embeddings, out).run(model, reference);
  }

  private ObjectNode run(Model model, Model reference) {
    ClassList list = request.files.classes == null ? null : ClassList.read(request.files.classes);
    String location = request.features.gallery();
    try (Dataset gallery = location == null ? null : Datasets.open(location, list, null);
        Dataset all = Datasets.open(request.data, classes(list, gallery), request.files.labels)) {
      requireClasses(all, gallery);
      Dataset set = request.limit > 0 ? Subset.first(all, request.limit) : all;
      EvaluationText.describe(out, "model", model);
      out.printf(
          "data       %s: %d pictures, %d classes%n", request.data, set.size(), set.classes());
      method(gallery);
      Judged judged = judge("embed", model, set, gallery);
      FeatureAnswers answers = judged.answers;
      EvaluationText.skipped(out, answers.skipped());
      print(judged);
      ObjectNode result = EvaluationJson.of(model, request.data, answers, judged.judgement);
      method(result, judged.gallery);
      Judged other = null;
      FeatureComparison comparison = null;
      if (reference != null) {
        EvaluationText.describe(out, "against", reference);
        other =
            judge(
                "compare",
                reference,
                answers.set(),
                judged.gallery == null ? null : judged.gallery.set());
        print(other);
        comparison =
            FeatureComparison.of(
                answers.features(),
                judged.judgement,
                other.answers.features(),
                other.judgement,
                answers.labels());
        print(comparison, answers);
        result.set(
            "against",
            EvaluationJson.comparison(reference, other.answers, other.judgement, comparison));
      }
      if (request.html != null) {
        report(model, judged, reference, other, comparison);
      }
      return result;
    }
  }

  /** The classes of the pictures are those of what they are compared with. */
  private ClassList classes(ClassList list, Dataset gallery) {
    if (gallery != null) {
      return ClassList.of(request.features.gallery(), gallery.classIds(), gallery.classNames());
    }
    return list == null && embeddings != null && !embeddings.classes().isEmpty()
        ? ClassList.of(embeddings.classes())
        : list;
  }

  private void requireClasses(Dataset set, Dataset gallery) {
    int expected =
        gallery != null
            ? gallery.classes()
            : embeddings != null ? embeddings.size() : set.classes();
    if (set.classes() != expected) {
      throw new InputException(
          "%s: found %d classes, expected %d as %s has%s"
              .formatted(
                  request.data,
                  set.classes(),
                  expected,
                  gallery != null ? request.features.gallery() : request.features.classEmbeddings(),
                  request.files.classes == null ? " (--classes FILE gives their order)" : ""));
    }
    if (gallery != null && gallery.size() <= (isGallery() ? 1 : 0)) {
      throw new InputException(
          request.features.gallery() + ": found one picture, expected another beside it");
    }
  }

  /** Whether the pictures are those of the gallery, so that each would find itself. */
  private boolean isGallery() {
    return request.features.gallery() != null
        && Locations.absolute(request.data).equals(Locations.absolute(request.features.gallery()));
  }

  private Judged judge(String task, Model model, Dataset set, Dataset gallery) {
    FeatureAnswers answers = answers(task, model, set);
    if (embeddings != null) {
      Cosines features = new Cosines(answers.features());
      return new Judged(
          answers,
          null,
          new Judgement(
              IntStream.range(0, answers.labels().length)
                  .mapToObj(i -> embeddings.of(features, i))
                  .toList(),
              List.of()));
    }
    if (gallery == null) {
      return new Judged(answers, null, Judgement.NONE);
    }
    FeatureAnswers known = answers(task + " gallery", model, gallery);
    List<List<Neighbour>> neighbours =
        new Gallery(known.features())
            .nearest(
                answers.features(),
                request.features.neighbours(),
                own(answers, known),
                request.pool);
    NeighbourVote vote = new NeighbourVote(request.features.temperature());
    return new Judged(
        answers,
        known,
        new Judgement(
            neighbours.stream()
                .map(near -> vote.of(near, known.labels(), gallery.classes()))
                .toList(),
            neighbours));
  }

  private FeatureAnswers answers(String task, Model model, Dataset set) {
    try (Progress progress = Progress.start(task, "pictures", set.size())) {
      return FeatureAnswers.of(
          model,
          new PictureBatches(set, request.onCorrupt, request.batch, request.pool.threads()),
          progress::step);
    }
  }

  private IntUnaryOperator own(FeatureAnswers answers, FeatureAnswers gallery) {
    if (!isGallery()) {
      return i -> -1;
    }
    Map<String, Integer> rows = new HashMap<>();
    for (int row = 0; row < gallery.names().size(); row++) {
      rows.put(gallery.names().get(row), row);
    }
    return i -> rows.getOrDefault(answers.names().get(i), -1);
  }

  private void method(Dataset gallery) {
    FeatureOptions options = request.features;
    if (gallery != null) {
      out.printf(
          "gallery    %s: %d pictures; the nearest %d vote with weight exp(cosine / %s)%s%n",
          options.gallery(),
          gallery.size(),
          options.neighbours(),
          options.temperature(),
          isGallery() ? "; none is its own neighbour" : "");
    } else if (embeddings != null) {
      out.printf("embeddings %s: %d classes%n", options.classEmbeddings(), embeddings.size());
    }
    out.flush();
  }

  private void method(ObjectNode result, FeatureAnswers gallery) {
    FeatureOptions options = request.features;
    if (gallery != null) {
      ObjectNode method = result.putObject("neighbours");
      method.put("k", options.neighbours());
      method.put("temperature", options.temperature());
      method.set("gallery", EvaluationJson.data(options.gallery(), gallery.set()));
      EvaluationJson.skipped(method, gallery.skipped());
    } else if (embeddings != null) {
      ObjectNode method = result.putObject("class_embeddings");
      method.put("path", options.classEmbeddings().toString());
      method.put("file_sha256", Digests.file(options.classEmbeddings()));
      method.put("classes", embeddings.size());
    }
  }

  private void print(Judged judged) {
    FeatureAnswers answers = judged.answers;
    if (judged.judgement.classifies()) {
      EvaluationText.accuracy(
          out, Evaluation.of(judged.judgement.rankings(), answers.labels()), answers.seconds());
    } else {
      EvaluationText.time(out, answers.labels().length, answers.seconds());
    }
  }

  private void print(FeatureComparison comparison, FeatureAnswers answers) {
    out.printf(
        Locale.ROOT,
        "cosine     mean %.6f, worst %.6f (%s)%n",
        comparison.meanCosine(),
        comparison.worstCosine(),
        answers.names().get(comparison.worst()));
    if (comparison.nearest() != null) {
      out.println("nearest    unchanged: " + EvaluationText.text(comparison.nearest()));
    }
    if (comparison.agreement() != null) {
      out.println("agreement  " + EvaluationText.text(comparison.agreement()));
      EvaluationText.mcNemar(out, comparison.mcnemar());
    }
    out.flush();
  }

  private void report(
      Model model, Judged judged, Model reference, Judged other, FeatureComparison comparison) {
    Map<String, String> facts = new LinkedHashMap<>();
    ReportFacts.identify(facts, "model", model);
    if (reference != null) {
      ReportFacts.identify(facts, "against", reference);
    }
    Dataset set = judged.answers.set();
    facts.put("data", request.data);
    facts.put("pictures", set.size() + " of " + set.classes() + " classes");
    facts.put("SHA-256 of the list of pictures", Datasets.digest(set));
    if (judged.gallery != null) {
      facts.put("gallery", request.features.gallery());
      facts.put("pictures of the gallery", Integer.toString(judged.gallery.set().size()));
      facts.put("SHA-256 of the list of the gallery", Datasets.digest(judged.gallery.set()));
      facts.put(
          "votes",
          "%d neighbours, temperature %s"
              .formatted(request.features.neighbours(), request.features.temperature()));
    }
    if (embeddings != null) {
      facts.put("class embeddings", request.features.classEmbeddings().toString());
      facts.put(
          "file SHA-256 of the class embeddings", Digests.file(request.features.classEmbeddings()));
    }
    FeatureReport.write(
        request.html,
        "%s%s on %s."
            .formatted(
                model.identity().path(),
                reference == null ? "" : " against " + reference.identity().path(),
                request.data),
        new FeatureReport.Subject(
            model.identity().kind(), judged.answers, judged.gallery, judged.judgement),
        reference == null
            ? null
            : new FeatureReport.Subject(
                reference.identity().kind() + " (against)",
                other.answers,
                other.gallery,
                other.judgement),
        comparison,
        ReportFacts.add(facts, model.backend()));
  }
}
