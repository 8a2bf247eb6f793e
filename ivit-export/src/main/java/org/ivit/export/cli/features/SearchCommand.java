package org.ivit.export.cli.features;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Rgb;
import org.ivit.core.io.Digests;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.console.ReportFacts;
import org.ivit.export.cli.option.AnswerChecks;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.JsonOption;
import org.ivit.export.cli.option.ModelOptions;
import org.ivit.export.cli.option.PictureFiles;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.evaluate.FeatureAnswers;
import org.ivit.export.evaluate.PictureBatches;
import org.ivit.export.features.FeatureFile;
import org.ivit.export.features.Gallery;
import org.ivit.export.features.Neighbour;
import org.ivit.export.model.Model;
import org.ivit.export.report.SearchPage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ivit search}: the pictures of an index that are most like others. */
@Command(
    name = "search",
    footerHeading =
        "%nExample:%n  ivit search --index photos.npy --model dinov2.ivit.safetensors beach.jpg%n",
    description =
        "Finds the pictures that are most like others, among those that ivit embed knows.")
public final class SearchCommand implements Callable<Integer> {
  private static final int BATCH = 8;

  @Spec private CommandSpec spec;

  @Option(
      names = "--index",
      required = true,
      paramLabel = "E",
      description = "Features of the pictures to search in: a safetensors file of ivit embed.")
  private Path index;

  @Mixin private ModelOptions options;

  @Option(
      names = "--top",
      paramLabel = "K",
      defaultValue = "10",
      description = "How many pictures to find for each (default: ${DEFAULT-VALUE}).")
  private int top;

  @Option(names = "--html", paramLabel = "F", description = "Write a page with the pictures.")
  private Path html;

  @Mixin private JsonOption json;

  @Parameters(
      arity = "1..*",
      paramLabel = "IMAGE",
      description = "Picture files, and folders of them, with the folders in these.")
  private List<Path> images = new ArrayList<>();

  @Override
  public Integer call() {
    options.validate();
    Checks.atLeast("--top", top, 1);
    Checks.file("--index", index);
    Checks.writable("--html", html);
    json.validate();
    PictureFiles pictures = PictureFiles.of(images);
    FeatureFile known = FeatureFile.read(index);
    try (Model model = options.open()) {
      AnswerChecks.features(model);
      requireMade(known, model);
      WorkerPool pool = options.engine().config().pool();
      FeatureAnswers asked;
      try (Progress progress = Progress.start("search", "pictures", pictures.size())) {
        asked =
            FeatureAnswers.of(
                model,
                new PictureBatches(pictures, OnCorrupt.FAIL, BATCH, pool.threads()),
                progress::step);
      }
      List<List<Neighbour>> found =
          new Gallery(known.features()).nearest(asked.features(), top, i -> -1, pool);
      print(json.text(spec), asked, found, known);
      if (html != null) {
        page(model, pictures, found, known);
      }
      json.write(spec, result(model, asked, found, known));
    }
    return 0;
  }

  /** Features of another model say nothing here. */
  private void requireMade(FeatureFile known, Model model) {
    String made = known.metadata().get(FeatureFile.MODEL_SHA256);
    if (!model.identity().sha256().equals(made)) {
      throw new InputException(
          "%s: metadata %s: found %s, expected that of %s, %s: the index is of another model"
              .formatted(
                  index, FeatureFile.MODEL_SHA256, made, options.model, model.identity().sha256()));
    }
    int width = model.architecture().classes();
    if (known.features().width() != width) {
      throw new InputException(
          "%s: tensor features: found %d wide, expected %d as %s has"
              .formatted(index, known.features().width(), width, options.model));
    }
  }

  private static void print(
      PrintWriter out, FeatureAnswers asked, List<List<Neighbour>> found, FeatureFile known) {
    for (int i = 0; i < found.size(); i++) {
      out.println(asked.names().get(i));
      for (Neighbour neighbour : found.get(i)) {
        out.printf(
            Locale.ROOT, "  %7.4f  %s%n", neighbour.cosine(), known.names().get(neighbour.row()));
      }
    }
    out.flush();
  }

  private ObjectNode result(
      Model model, FeatureAnswers asked, List<List<Neighbour>> found, FeatureFile known) {
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    EvaluationJson.identify(result, model);
    ObjectNode file = result.putObject("index");
    file.put("path", index.toString());
    file.put("file_sha256", Digests.file(index));
    file.put("images", known.names().size());
    ArrayNode queries = result.putArray("pictures");
    for (int i = 0; i < found.size(); i++) {
      ObjectNode query = queries.addObject();
      query.put("file", asked.names().get(i));
      ArrayNode alike = query.putArray("found");
      for (Neighbour neighbour : found.get(i)) {
        alike
            .addObject()
            .put("row", neighbour.row())
            .put("file", known.names().get(neighbour.row()))
            .put("cosine", neighbour.cosine());
      }
    }
    return result;
  }

  private void page(
      Model model, PictureFiles pictures, List<List<Neighbour>> found, FeatureFile known) {
    List<SearchPage.Query> queries = new ArrayList<>();
    for (int i = 0; i < found.size(); i++) {
      queries.add(
          new SearchPage.Query(
              pictures.name(i),
              pictures.picture(i),
              found.get(i).stream()
                  .map(
                      neighbour -> {
                        String name = known.names().get(neighbour.row());
                        return new SearchPage.Found(name, picture(name), neighbour.cosine());
                      })
                  .toList()));
    }
    Map<String, String> facts = new LinkedHashMap<>();
    ReportFacts.identify(facts, "model", model);
    facts.put("index", index + ", " + known.names().size() + " pictures");
    facts.put("file SHA-256 of the index", Digests.file(index));
    SearchPage.write(
        html,
        "The pictures of %s that are most like those asked for, by the cosine of their features."
            .formatted(index),
        queries,
        ReportFacts.add(facts, model.backend()));
  }

  /** A picture by its name, from here or from where the index lies; null where it is in neither. */
  private Rgb picture(String name) {
    try {
      Path here = Path.of(name);
      Path there = index.toAbsolutePath().resolveSibling(name);
      Path file = Files.isRegularFile(here) ? here : there;
      return Files.isRegularFile(file) ? ImageDecoder.decode(file) : null;
    } catch (InvalidPathException | InputException e) {
      return null;
    }
  }
}
