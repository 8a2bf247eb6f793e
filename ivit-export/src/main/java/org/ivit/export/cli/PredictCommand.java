package org.ivit.export.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.PreprocessChange;
import org.ivit.core.image.Rgb;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.option.AnswerChecks;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.JsonOption;
import org.ivit.export.cli.option.ModelOptions;
import org.ivit.export.cli.option.PictureFiles;
import org.ivit.export.cli.option.TransformOptions;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.model.Logits;
import org.ivit.export.model.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ivit predict}: the most probable classes of pictures. */
@Command(
    name = "predict",
    footerHeading = "%nExample:%n  ivit predict --model vit.ivit.safetensors --top 3 cat.jpg%n",
    description = {
      "Names the most probable classes of pictures.",
      "A picture among several that cannot be read is named and left out; the exit code is then 2."
    })
final class PredictCommand implements Callable<Integer> {
  /** More at once are hardly faster, and answers would come in gusts. */
  private static final int BATCH = 8;

  @Spec private CommandSpec spec;

  @Mixin private ModelOptions options;

  @Mixin private TransformOptions transform;

  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description = "Names of the classes, one a line, for a model that has none.")
  private Path classes;

  @Option(
      names = "--top",
      paramLabel = "K",
      defaultValue = "5",
      description = "How many classes of a picture to name (default: ${DEFAULT-VALUE}).")
  private int top;

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
    PictureFiles pictures = PictureFiles.of(images);
    Checks.file("--classes", classes);
    json.validate();
    PreprocessChange change = transform.change();
    try (Model model = options.open(change)) {
      AnswerChecks.classes(model);
      return predict(model, pictures);
    }
  }

  private int predict(Model model, PictureFiles pictures) {
    List<String> names = names(model);
    PrintWriter out = json.text(spec);
    EvaluationTransform prepare = new EvaluationTransform(model.preprocess());
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    EvaluationJson.identify(result, model);
    ArrayNode answers = result.putArray("pictures");
    int threads = options.engine().config().pool().threads();
    try (Progress progress = progress(pictures.size());
        PictureLoader<Rgb> loader =
            new PictureLoader<>(
                pictures,
                PictureLoader.inOrder(pictures),
                (picture, index) -> prepare.apply(picture),
                pictures.size() == 1 ? OnCorrupt.FAIL : OnCorrupt.SKIP,
                threads,
                Math.max(2 * BATCH, threads))) {
      List<PictureLoader.Loaded<Rgb>> batch = new ArrayList<>(BATCH);
      while (loader.hasNext()) {
        batch.add(loader.next());
        if (batch.size() == BATCH || !loader.hasNext()) {
          Logits logits = model.logits(batch.stream().map(PictureLoader.Loaded::value).toList());
          for (int i = 0; i < batch.size(); i++) {
            String file = pictures.name(batch.get(i).index());
            answers.add(answer(out, file, logits, i, names));
          }
          out.flush();
          if (progress != null) {
            progress.step(batch.size());
          }
          batch.clear();
        }
      }
      ArrayNode refused = result.putArray("refused");
      loader.skipped().forEach(refused::add);
      json.write(spec, result);
      return refused(loader.skipped().size(), pictures.size());
    }
  }

  /** Prints the answer for a picture, and returns it. */
  private ObjectNode answer(
      PrintWriter out, String file, Logits logits, int picture, List<String> names) {
    ObjectNode answer = JsonNodeFactory.instance.objectNode();
    answer.put("file", file);
    ArrayNode best = answer.putArray("top");
    double[] probabilities = logits.softmax(picture);
    out.println(file);
    for (int c : logits.top(picture, top)) {
      out.printf(Locale.ROOT, "  %6.2f %%  %s%n", 100 * probabilities[c], names.get(c));
      ObjectNode item = best.addObject();
      item.put("class", c);
      item.put("name", names.get(c));
      item.put("probability", probabilities[c]);
    }
    return answer;
  }

  private int refused(int count, int all) {
    if (count == 0) {
      return ExitCode.OK;
    }
    PrintWriter err = spec.commandLine().getErr();
    err.printf("ivit: %d of %d pictures cannot be read and were left out%n", count, all);
    err.flush();
    return ExitCode.USAGE;
  }

  /**
   * None where answers on the terminal show how far it is: a bar would run through them. From JDK
   * 22 on this cannot be told of a file, and there is none either.
   */
  @SuppressWarnings("SystemConsoleNull")
  private Progress progress(int pictures) {
    return System.console() != null && !json.standardOutput()
        ? null
        : Progress.start("predict", "pictures", pictures);
  }

  private List<String> names(Model model) {
    int count = model.architecture().classes();
    List<String> names =
        classes == null ? model.classes().names() : ClassList.read(classes).names();
    if (names.isEmpty()) {
      return IntStream.range(0, count).mapToObj(c -> "class " + c).toList();
    }
    if (names.size() != count) {
      throw new InputException(
          "%s: found %s classes, expected %s as the model has"
              .formatted(classes == null ? options.model : classes, names.size(), count));
    }
    return names;
  }
}
